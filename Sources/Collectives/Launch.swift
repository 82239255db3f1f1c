import COpenMPI
import Glibc

/// How this process was started: alone, or as one of several by a launcher.
public struct Launch: Sendable, Equatable {
  public enum Launcher: String, Sendable {
    case alone, mpirun, srun
  }

  public let launcher: Launcher
  /// Ranks of the job and on this node, as the launcher says before MPI is started; 1 if unsaid.
  public let size: Int
  public let localSize: Int
  /// This process among them; 0 if unsaid.
  public let rank: Int
  public let localRank: Int
  /// What the processes of this job on one node have in common and no other job has; empty if unsaid.
  public let job: String

  public var isParallel: Bool { launcher != .alone }

  /// Reads the launcher's variables; the current environment by default.
  ///
  /// A shell inside a SLURM allocation has most of SLURM's variables too, so only a step that gives
  /// this process a rank (`PMIX_RANK`, `PMI_RANK`) or more than one task counts as `srun`.
  public init(variable: (String) -> String? = Launch.environment) {
    func number(_ name: String) -> Int? { variable(name).flatMap { Int($0) } }
    if let size = number("OMPI_COMM_WORLD_SIZE") {
      launcher = .mpirun
      self.size = size
      localSize = number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? 1
      rank = number("OMPI_COMM_WORLD_RANK") ?? 0
      localRank = number("OMPI_COMM_WORLD_LOCAL_RANK") ?? 0
      job = variable("PMIX_NAMESPACE") ?? variable("OMPI_MCA_ess_base_jobid") ?? ""
    } else if variable("SLURM_STEP_ID") != nil, variable("SLURM_PROCID") != nil,
      variable("PMIX_RANK") != nil || variable("PMI_RANK") != nil
        || (number("SLURM_STEP_NUM_TASKS") ?? 1) > 1
    {
      launcher = .srun
      size = number("SLURM_STEP_NUM_TASKS") ?? number("SLURM_NTASKS") ?? 1
      localSize = Self.tasksOnNode(
        variable("SLURM_STEP_TASKS_PER_NODE") ?? "1", node: number("SLURM_NODEID") ?? 0)
      rank = number("SLURM_PROCID") ?? 0
      localRank = number("SLURM_LOCALID") ?? 0
      job = [variable("SLURM_JOB_ID") ?? "", variable("SLURM_STEP_ID") ?? ""].joined(separator: ".")
    } else {
      launcher = .alone
      size = 1
      localSize = 1
      rank = 0
      localRank = 0
      job = ""
    }
  }

  /// The ranks of this job: over MPI under a launcher, else the group of one.
  public func communicator() throws -> any Communicator {
    isParallel ? try MPICommunicator.start(self) : SoloCommunicator()
  }

  /// Processors that this process may run on, which launchers limit; 0 if the system does not say.
  public static var usableProcessors: Int { Int(cmpi_processors()) }

  public static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  /// The name of this node.
  public static var host: String {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// SLURM writes `2(x3),1`: two tasks on each of three nodes, then one.
  package static func tasksOnNode(_ list: String, node: Int) -> Int {
    var first = 0
    for part in list.split(separator: ",") {
      let pieces = part.split(separator: "(")
      let repeats = pieces.count > 1 ? Int(pieces[1].dropFirst().dropLast()) ?? 1 : 1
      if node < first + repeats { return Int(pieces[0]) ?? 1 }
      first += repeats
    }
    return 1
  }
}
