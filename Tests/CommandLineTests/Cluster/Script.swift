import Foundation
import TestSupport
import Testing

/// The launch scripts and the tools they stand on, run as a user runs them.
enum Script {
  /// A script of the `Launch` folder.
  static func path(_ name: String) -> String {
    Fixtures.package.appendingPathComponent("Launch/\(name)").path
  }

  /// Runs a command that is found on the PATH, or a script by its path, to its end.
  static func run(
    _ words: [String], variables: [String: String] = [:], seconds: Double = 60
  ) throws -> Program.Outcome {
    try start(words, variables: variables).wait(seconds: seconds)
  }

  static func start(
    _ words: [String], variables: [String: String] = [:]
  ) throws -> Program.Running {
    // The scripts would choose other BLAS kernels than the tests have; bits are compared.
    let program = ["VITDIST_BINARY": Program.path, "VITDIST_KEEP_CORETYPE": "1"]
    return try Program.Running(
      command: ["/usr/bin/env"] + words, variables: program.merging(variables) { $1 })
  }
}

/// Looks until something has come about in other processes; false if it has not in time.
func happens(within seconds: Double, _ condition: () throws -> Bool) rethrows -> Bool {
  let limit = Date().addingTimeInterval(seconds)
  while try !condition() {
    if Date() > limit { return false }
    usleep(50_000)
  }
  return true
}
