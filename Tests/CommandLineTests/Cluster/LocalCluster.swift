import Foundation
import TestSupport
import Testing

/// A real SLURM of some nodes on this machine, for as long as a test holds it.
final class LocalCluster {
  private let folder: String
  private var variables: [String: String] = [:]

  init(nodes: Int) throws {
    folder =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("vitdist-slurm-\(UUID().uuidString)").path
    let started = try Script.run(
      [
        Script.path("slurm/local-cluster"), "start", "--folder", folder, "--nodes", "\(nodes)",
        "--cpus", "8",
      ])
    guard started.status == 0 else { throw Failure(status: started.status, text: started.errors) }
    variables["SLURM_CONF"] = "\(folder)/slurm.conf"
    variables["VITDIST_SITE"] = "\(folder)/site.env"
  }

  deinit {
    _ = try? Script.run([Script.path("slurm/local-cluster"), "stop", "--folder", folder])
  }

  struct Failure: Error, CustomStringConvertible {
    let status: Int32
    let text: String
    var description: String { "exit code \(status): \(text)" }
  }

  /// Why no cluster can be started here; nil if one can.
  static let problem: String? = {
    do { _ = try LocalCluster(nodes: 1) } catch { return "\(error)" }
    return nil
  }()

  /// Runs one of SLURM's commands and returns what it prints.
  @discardableResult
  func call(_ words: String...) throws -> String {
    let outcome = try Script.run(words, variables: variables)
    guard outcome.status == 0 else { throw Failure(status: outcome.status, text: outcome.errors) }
    return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Submits a batch script of the project, and returns the job's number.
  func submit(
    _ script: String, _ options: [String], _ arguments: [String], log: String,
    variables more: [String: String] = [:]
  ) throws -> String {
    let words =
      ["sbatch", "--parsable", "--output", log] + options + [Script.path("slurm/\(script)")]
      + arguments
    let outcome = try Script.run(words, variables: variables.merging(more) { $1 })
    guard outcome.status == 0 else { throw Failure(status: outcome.status, text: outcome.errors) }
    return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// What `scontrol show job` says of a job, by name: `JobState`, `Restarts`, ...
  func fields(_ job: String) throws -> [String: String] {
    let words = try call("scontrol", "show", "job", job).split { " \n".contains($0) }
    let pairs = words.compactMap { word -> (String, String)? in
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      return parts.count == 2 ? (parts[0], parts[1]) : nil
    }
    return Dictionary(pairs) { first, _ in first }
  }
}

/// A reason to skip, said where SLURM is absent or may not start.
let slurmIsThere = ConditionTrait.enabled(
  // Asked of tests that are to run only; a text made of the problem would be asked of all.
  if: LocalCluster.problem == nil,
  "no SLURM can be started here (Launch/install --cluster): Launch/slurm/local-cluster start says why"
)
