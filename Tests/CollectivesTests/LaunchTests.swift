import Collectives
import Testing

@Suite struct LaunchTests {
  private func launch(_ variables: [String: String]) -> Launch { Launch { variables[$0] } }

  @Test func recognisesLaunchers() {
    #expect(launch([:]).launcher == .alone)
    let mpirun = launch(["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_SIZE": "2"])
    #expect(mpirun.launcher == .mpirun && mpirun.size == 4 && mpirun.localSize == 2)
    let srun = launch([
      "SLURM_STEP_ID": "0", "SLURM_PROCID": "5", "PMIX_RANK": "5", "SLURM_STEP_NUM_TASKS": "7",
      "SLURM_STEP_TASKS_PER_NODE": "2(x3),1", "SLURM_NODEID": "3",
    ])
    #expect(srun.launcher == .srun && srun.size == 7 && srun.localSize == 1)
  }

  /// The batch script itself sees SLURM's variables, but is no task of a step with ranks.
  @Test func batchScriptIsAlone() {
    #expect(launch(["SLURM_JOB_ID": "9", "SLURM_NTASKS": "32", "SLURM_PROCID": "0"]).size == 1)
  }

  @Test func tasksPerNode() {
    #expect((0..<4).map { Launch.tasksOnNode("2(x3),1", node: $0) } == [2, 2, 2, 1])
    #expect(Launch.tasksOnNode("16", node: 0) == 16)
    #expect(Launch.tasksOnNode("nonsense", node: 0) == 1)
  }
}
