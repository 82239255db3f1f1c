import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// The batch scripts on a real SLURM: stopped in every way that a cluster knows, a job is queued
  /// again once, goes on from its checkpoint and ends with the bits of a run left alone.
  @Suite(mpirunIsThere, slurmIsThere) struct SlurmTests {
    private struct Preempted: Sendable {
      let name: String
      let script: String
      var options = ["--nodes", "2", "--ntasks-per-node", "1", "--exclude", "node3"]
      /// What happens to it; nothing for one that meets its time limit by itself.
      var event: @Sendable (LocalCluster, String) throws -> Void = { _, _ in }
    }

    private static let preemptions: [Preempted] = [
      Preempted(name: "warned", script: "train.sbatch") {
        try $0.call("scancel", "--signal=USR1", "--batch", $1)
      },
      Preempted(name: "warned-step", script: "train-srun.sbatch") {
        try $0.call("scancel", "--signal=USR1", $1)
      },
      Preempted(name: "requeued", script: "train.sbatch") {
        try $0.call("scontrol", "requeue", $1)
      },
      Preempted(name: "terminated", script: "train-srun.sbatch") {
        try $0.call("scancel", "--signal=TERM", $1)
      },
      // The warning comes between 25 and 55 seconds before the end of the minute.
      Preempted(
        name: "limited", script: "train.sbatch",
        options: ["--ntasks", "2", "--time", "1", "--signal", "B:USR1@25", "--exclude", "node3"]),
      Preempted(
        name: "lost-node", script: "train.sbatch",
        options: ["--nodes", "2", "--ntasks-per-node", "1", "--nodelist", "node2,node3"]
      ) {
        try $0.call("scontrol", "update", "nodename=node3", "state=down", "reason=test")
        let (cluster, job) = ($0, $1)
        let isLost = try happens(within: 30) { try cluster.fields(job)["JobState"] == "PENDING" }
        #expect(isLost, "the job stayed on a node that is down")
        // SLURM refuses while the node is being left, and where it has taken it in by itself.
        let isBack = try happens(within: 30) {
          _ = try? cluster.call("scontrol", "update", "nodename=node3", "state=resume")
          return try !cluster.call("sinfo", "-h", "-n", "node3", "-o", "%T").contains("down")
        }
        #expect(isBack, "the node was not taken in again")
      },
    ]

    @Test func aPreemptedJobGoesOnToTheSameBits() throws {
      let cluster = try LocalCluster(nodes: 3)
      let run = try SmallRun()
      var jobs: [(Preempted, String)] = []
      for preempted in Self.preemptions {
        jobs.append((preempted, try submit(preempted, run, cluster)))
      }
      for (preempted, job) in jobs {
        let started = happens(within: 120) { run.trains(preempted.name, starts: 1) }
        try #require(
          started || preempted.name == "limited", "\(preempted.name): \(log(run, preempted.name))")
        try preempted.event(cluster, job)
      }
      for (preempted, job) in jobs {
        let wentOn = happens(within: 120) { run.trains(preempted.name, starts: 2) }
        try #require(wentOn, "\(preempted.name): \(log(run, preempted.name))")
        let restarts = try cluster.fields(job)["Restarts"].flatMap { Int($0) } ?? 0
        // Every minute brings the limit of one job again.
        let isOnce = preempted.name == "limited" ? restarts >= 1 : restarts == 1
        #expect(isOnce, "\(preempted.name), \(restarts): \(log(run, preempted.name))")
        try cluster.call("scancel", job)
      }
      #expect(log(run, "limited").contains("asked to stop by USR1"), "\(log(run, "limited"))")
      let isIdle = try happens(within: 60) { try cluster.call("squeue", "--noheader").isEmpty }
      #expect(isIdle, "cancelled jobs came back")
      try run.expectExact(Self.preemptions.map(\.name))
    }

    /// Both launchers to the end, a sweep over two configs, and what must not be queued again: a
    /// job that was cancelled, a wrong config, and one whose restarts bring no progress.
    @Test func jobsEndAsTheyShould() throws {
      let cluster = try LocalCluster(nodes: 2)
      let run = try SmallRun()
      let plain = ["--nodes", "2", "--ntasks-per-node", "1"]
      func begin(
        _ name: String, _ script: String, settings: [String] = [], variables: [String: String] = [:]
      ) throws -> String {
        try cluster.submit(
          script, plain, Array(run.training(name, settings).dropFirst(2)), log: logPath(run, name),
          variables: variables)
      }
      let vain = try begin(
        "vain", "train-srun.sbatch", variables: ["VITDIST_BINARY": try hopeless(run)])
      let cancelled = try begin("cancelled", "train.sbatch", settings: SmallRun.endless)
      let wrong = try begin("wrong", "train.sbatch", settings: ["batch.size=65"])
      let finished = [
        "mpirun": try begin("mpirun", "train.sbatch"),
        "srun": try begin("srun", "train-srun.sbatch"),
      ]
      for name in ["one", "two"] {
        try FileManager.default.copyItem(
          atPath: run.path("config.yaml"), toPath: run.path("\(name).yaml"))
      }
      let sweep = try cluster.submit(
        "sweep.sbatch", ["--array", "1-2", "--ntasks", "2", "--job-name", "sweep"],
        [run.path("one.yaml"), run.path("two.yaml"), "--"]
          + SmallRun.endless.flatMap { ["--set", $0] },
        log: run.path("sweep-%a.log"), variables: ["VITDIST_RUNS": run.folder.path])

      #expect(happens(within: 60) { run.trains("cancelled", starts: 1) })
      try cluster.call("scancel", cancelled)
      #expect(happens(within: 60) { run.trains("sweep/two", starts: 1) })
      try cluster.call("scancel", "--signal=USR1", "--batch", "\(sweep)_2")

      try Program.run(run.training("alone"))
      for (name, job) in finished {
        try expect(job, of: cluster, state: "COMPLETED", restarts: 0, log(run, name))
        #expect(try run.digest(name) == run.digest("alone"), "\(name)")
      }
      try expect(wrong, of: cluster, state: "FAILED", restarts: 0, log(run, "wrong"))
      try expect(cancelled, of: cluster, state: "CANCELLED", restarts: 0, log(run, "cancelled"))
      #expect(happens(within: 60) { run.trains("sweep/two", starts: 2) })
      #expect(run.trains("sweep/one", starts: 1), "the other task of the array was disturbed")
      try cluster.call("scancel", sweep)
      try expect(vain, of: cluster, state: "FAILED", restarts: 3, log(run, "vain"))
      #expect(log(run, "vain").contains("3 restarts in a row"), "\(log(run, "vain"))")
      try run.expectExact(["sweep/one", "sweep/two"])
    }

    /// A program that starts, and dies as soon as it is to train.
    private func hopeless(_ run: SmallRun) throws -> String {
      let path = run.path("hopeless")
      let text = "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\nexit 70\n"
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
      return path
    }

    private func expect(
      _ job: String, of cluster: LocalCluster, state: String, restarts: Int, _ log: String
    ) throws {
      var fields: [String: String] = [:]
      _ = try happens(within: 60) {
        fields = try cluster.fields(job)
        return fields["JobState"] == state
      }
      #expect(fields["JobState"] == state, "\(log)")
      #expect(fields["Restarts"] == "\(restarts)", "\(log)")
    }

    private func submit(
      _ job: Preempted, _ run: SmallRun, _ cluster: LocalCluster
    ) throws -> String {
      let arguments = Array(run.training(job.name, SmallRun.endless).dropFirst(2))
      return try cluster.submit(job.script, job.options, arguments, log: logPath(run, job.name))
    }

    private func logPath(_ run: SmallRun, _ name: String) -> String { run.path("\(name).log") }
    private func log(_ run: SmallRun, _ name: String) -> String {
      (try? String(contentsOfFile: logPath(run, name), encoding: .utf8)) ?? "no log"
    }
  }
}
