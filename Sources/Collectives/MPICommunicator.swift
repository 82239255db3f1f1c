import COpenMPI
import Glibc

/// The ranks of an MPI job; without a launcher, a group of one.
///
/// MPI is used at `MPI_THREAD_FUNNELED`: only the thread that called `start` may talk to it. Errors
/// come back as `CollectiveError`; a rank that dies is the launcher's to notice.
public final class MPICommunicator: Communicator {
  public let rank: Int
  public let size: Int
  public let localRank: Int
  public let localSize: Int
  /// MPI counts are C `int`s: longer messages go in pieces of this many bytes.
  let pieceBytes: Int
  let requests = MPIRequests()
  /// The ranks of this node.
  let nodeRanks: MPI_Comm?
  /// Of memory that they share, until the end.
  var windows: [MPI_Win?] = []

  /// Initialises MPI. Once per process.
  public static func start(_ launch: Launch = Launch()) throws -> MPICommunicator {
    try start(launch, pieceBytes: 1 << 30)
  }

  package static func start(_ launch: Launch = Launch(), pieceBytes: Int) throws -> MPICommunicator
  {
    var isStarted: Int32 = 0
    MPI_Initialized(&isStarted)
    precondition(isStarted == 0, "MPI started twice in one process")
    yieldIfOversubscribed(launch)
    // A rank that aborts has said why; MPI_Abort would bury it under ten lines of its own. mpirun
    // does not see this setting and still reports a rank that died of a signal.
    setenv("OMPI_MCA_orte_execute_quiet", "1", 0)
    var level: Int32 = 0
    try check(MPI_Init_thread(nil, nil, Int32(MPI_THREAD_FUNNELED), &level), "start")
    _ = cmpi_return_errors(cmpi_comm_world())
    _ = cmpi_return_errors(cmpi_comm_self())
    let communicator = try MPICommunicator(pieceBytes: pieceBytes)
    guard communicator.size > 1 || launch.size == 1 else {
      throw CollectiveError(
        "start", rank: 0, "the launcher started \(launch.size) tasks but MPI sees only this one",
        remedy: "Use `srun --mpi=pmix` or mpirun of the same Open MPI (\(libraryVersion))")
    }
    return communicator
  }

  private init(pieceBytes: Int) throws {
    self.pieceBytes = pieceBytes
    let world = cmpi_comm_world()
    (rank, size) = try Self.place(in: world)
    var node: MPI_Comm?
    try Self.check(cmpi_split_by_node(world, Int32(rank), &node), "find the ranks of the node")
    (localRank, localSize) = try Self.place(in: node)
    _ = cmpi_return_errors(node)
    nodeRanks = node
  }

  private static func place(in communicator: MPI_Comm?) throws -> (Int, Int) {
    var rank: Int32 = 0
    var size: Int32 = 0
    try check(MPI_Comm_rank(communicator, &rank), "find the rank")
    try check(MPI_Comm_size(communicator, &size), "find the rank")
    return (Int(rank), Int(size))
  }

  /// Leaves MPI in order; after it no call may be made. Needed for an exit that the launcher does
  /// not take for a crash.
  public func finalize() throws {
    for var window in windows { try check(MPI_Win_free(&window), "finalize") }
    windows = []
    var node = nodeRanks
    try check(MPI_Comm_free(&node), "finalize")
    try check(MPI_Finalize(), "finalize")
  }

  public func abort(exitCode: Int32) -> Never {
    MPI_Abort(cmpi_comm_world(), exitCode)
    exit(exitCode)
  }
}

extension MPICommunicator {
  /// E.g. `Open MPI v4.1.4`.
  public static var libraryVersion: String {
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING))
    var length: Int32 = 0
    guard MPI_Get_library_version(&text, &length) == MPI_SUCCESS else { return "an unknown MPI" }
    let bytes = text.prefix(Int(length)).map { UInt8(bitPattern: $0) }
    let full = String(decoding: bytes, as: UTF8.self)
    return full.split(separator: ",").first.map(String.init) ?? full
  }

  /// Open MPI spins while it waits unless it knows that ranks share CPUs, which it learns from
  /// mpirun's slots only: not under srun, nor where a container limits the CPUs. Spinning then
  /// costs a thousand times the latency. A value that the user has set stays.
  private static func yieldIfOversubscribed(_ launch: Launch) {
    let processors = Int(cmpi_processors())
    // Ranks that mpirun has bound have a mask of their own each.
    let isBound = Launch.environment("OMPI_MCA_orte_bound_at_launch") == "1"
    if !isBound && processors > 0 && launch.localSize > processors {
      setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0)
    }
  }

  static func check(_ status: Int32, _ call: String, rank: Int = 0, peer: Int = -1) throws {
    if status == MPI_SUCCESS { return }
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING))
    var length: Int32 = 0
    MPI_Error_string(status, &text, &length)
    let bytes = text.prefix(Int(length)).map { UInt8(bitPattern: $0) }
    throw CollectiveError(
      call, rank: rank, peer: peer, "MPI says \(String(decoding: bytes, as: UTF8.self))",
      remedy: "Check the network and the other ranks' messages, then resume from the checkpoint")
  }

  func check(_ status: Int32, _ call: String, peer: Int = -1) throws {
    try Self.check(status, call, rank: rank, peer: peer)
  }
}
