import Foundation
import TestSupport
import Testing

/// Some hosts on this machine, for as long as a test holds them.
final class LocalHosts {
  private let folder: String

  init(_ count: Int, _ options: [String] = []) throws {
    folder =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("vitdist-hosts-\(UUID().uuidString)").path
    let started = try Script.run(
      [Script.path("local-hosts"), "start", "\(count)", "--folder", folder] + options)
    guard started.status == 0 else {
      throw LocalCluster.Failure(status: started.status, text: started.errors)
    }
  }

  deinit { _ = try? Script.run([Script.path("local-hosts"), "stop", "--folder", folder]) }

  /// Why there can be none here; nil if there can.
  static let problem: String? = {
    do { _ = try LocalHosts(1) } catch { return "\(error)" }
    return nil
  }()

  /// Starts a command on the first host.
  func start(_ words: [String], variables: [String: String] = [:]) throws -> Program.Running {
    try Script.start(
      [Script.path("local-hosts"), "run", "--folder", folder] + words, variables: variables)
  }

  func run(_ words: [String], seconds: Double = 120) throws -> Program.Outcome {
    try start(words).wait(seconds: seconds)
  }

  func cut(_ host: Int) throws { try change("cut", host) }
  func mend(_ host: Int) throws { try change("mend", host) }

  private func change(_ command: String, _ host: Int) throws {
    let outcome = try Script.run(
      [Script.path("local-hosts"), command, "\(host)", "--folder", folder])
    guard outcome.status == 0 else {
      throw LocalCluster.Failure(status: outcome.status, text: outcome.errors)
    }
  }
}

/// A reason to skip, said where the kernel permits no namespaces or sshd is absent.
let hostsAreThere = ConditionTrait.enabled(
  // Asked of tests that are to run only; a text made of the problem would be asked of all.
  if: LocalHosts.problem == nil,
  "no hosts can be made here (Launch/install --cluster): Launch/local-hosts start says why")
