import Foundation
import TestSupport
import Testing

/// What the built program does, seen from outside. One test at a time: each may fill the machine
/// with ranks, and some wait for an event with a time limit.
@Suite(.serialized) struct ProgramTests {}

/// Runs the built program as a user runs it.
enum Program {
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String
  }

  /// `VITDIST_BINARY`, else the program beside the tests' own bundle.
  static let path: String = {
    if let path = ProcessInfo.processInfo.environment["VITDIST_BINARY"] { return path }
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0])
    return bundle.deletingLastPathComponent().appendingPathComponent("vitdist").path
  }()

  static let mpirun: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "")
    .split(separator: ":").map { "\($0)/mpirun" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// Runs to the end. Past the limit the program is killed and the outcome's status is -1.
  @discardableResult
  static func run(
    _ arguments: [String], ranks: Int = 0, seconds: Double = 120,
    variables: [String: String] = [:]
  ) throws -> Outcome {
    let running = try Running(arguments, ranks: ranks, variables: variables)
    return running.wait(seconds: seconds)
  }

  /// Runs a script of `Launch` with this program, or a command of the system, given by its path.
  static func script(
    _ script: String, _ arguments: [String], seconds: Double = 60
  ) throws -> Outcome {
    try Running(
      command: [script] + arguments, isParallel: false, variables: ["VITDIST_BINARY": path]
    ).wait(seconds: seconds)
  }

  /// A program that has been started: alone, or as so many ranks under mpirun.
  final class Running {
    private let process = Process()
    private let folder: URL
    private let isParallel: Bool
    private let ended = DispatchSemaphore(value: 0)

    var identifier: Int32 { process.processIdentifier }

    convenience init(_ arguments: [String], ranks: Int = 0, variables: [String: String] = [:])
      throws
    {
      let launcher =
        ranks == 0
        ? [] : [try #require(Program.mpirun), "--oversubscribe", "-n", "\(ranks)"]
      try self.init(
        command: launcher + [Program.path] + arguments, isParallel: ranks > 0,
        variables: variables)
    }

    /// Any command, with variables besides those of the tests.
    init(command: [String], isParallel: Bool = false, variables: [String: String]) throws {
      self.isParallel = isParallel
      folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("vitdist-run-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      process.executableURL = URL(fileURLWithPath: command[0])
      process.arguments = Array(command.dropFirst())
      process.environment = Self.environment.merging(variables) { $1 }
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = try Self.file(folder.appendingPathComponent("output"))
      process.standardError = try Self.file(folder.appendingPathComponent("errors"))
      process.terminationHandler = { [ended] _ in ended.signal() }
      try Self.withSignalsLetThrough { try process.run() }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var isRunning: Bool { process.isRunning }

    /// The processes that compute: the children of mpirun, or the one process.
    var ranks: [Int32] { isParallel ? children : [identifier] }

    var children: [Int32] { Self.children(of: identifier) }

    static func children(of process: Int32) -> [Int32] {
      let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      return processes.compactMap { Int32($0) }.filter { parent(of: $0) == process }.sorted()
    }

    /// After the name, which may hold anything but ends the last parenthesis: state, parent.
    private static func parent(of process: Int32) -> Int32? {
      let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
      let fields = text?.split(separator: ")").last?.split(separator: " ") ?? []
      return fields.count > 1 ? Int32(fields[1]) : nil
    }

    func wait(seconds: Double) -> Outcome {
      let late = ended.wait(timeout: .now() + seconds) == .timedOut
      if late {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
      }
      return Outcome(
        status: late ? -1 : process.terminationStatus, output: text("output"),
        errors: text("errors"))
    }

    /// Ends it, for a test that has failed, and returns what it had to say.
    func stop() -> String {
      kill(identifier, SIGTERM)
      return wait(seconds: 10).errors
    }

    private func text(_ name: String) -> String {
      (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) ?? ""
    }

    /// A process inherits what its starter blocks, and the threads of the tests block all signals.
    private static func withSignalsLetThrough(_ start: () throws -> Void) rethrows {
      var none = sigset_t()
      var before = sigset_t()
      sigemptyset(&none)
      pthread_sigmask(SIG_SETMASK, &none, &before)
      defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
      try start()
    }

    /// Files and not pipes: a pipe that nobody empties stops the program.
    private static func file(_ url: URL) throws -> FileHandle {
      _ = FileManager.default.createFile(atPath: url.path, contents: nil)
      return try FileHandle(forWritingTo: url)
    }

    /// What `Launch/environment` sets, so that the tests also run without it.
    private static let environment: [String: String] = {
      var variables = ProcessInfo.processInfo.environment
      variables["OMP_NUM_THREADS"] = "1"
      variables["OPENBLAS_NUM_THREADS"] = "1"
      variables["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
      variables["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
      return variables
    }()
  }
}

/// A reason to skip what needs mpirun, said where it is absent.
let mpirunIsThere = ConditionTrait.enabled(
  if: Program.mpirun != nil, "mpirun is not on the PATH (Launch/install puts it there)")
