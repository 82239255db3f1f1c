import Archives
import Collectives
import Foundation

/// What one rank did, told to the others: a text or a `CheckpointError`. Other errors are not told;
/// they end the rank, and the job with it.
struct Outcome: Codable {
  private(set) var text = ""
  private(set) var error: [CheckpointError] = []

  init(_ body: () throws -> String) throws {
    do {
      text = try body()
    } catch let failure as CheckpointError {
      error = [failure]
    } catch let failure as ArchiveError {
      error = [CheckpointError(failure)]
    }
  }

  fileprivate func encoded() throws -> String {
    String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
  }

  fileprivate static func decoded(_ text: String) throws -> Outcome {
    try JSONDecoder().decode(Outcome.self, from: Data(text.utf8))
  }
}

extension Communicator {
  /// Runs `body` on rank 0; all ranks get its text or throw its error.
  func onRoot(_ body: () throws -> String) throws -> String {
    try told(byRoot: isRoot ? try Outcome(body) : nil)
  }

  /// Runs `body` on every rank; all get the texts in rank order or throw the first rank's error.
  func onAll(_ body: () throws -> String) throws -> [String] {
    try told(byAll: try Outcome(body))
  }

  /// Rank 0's outcome on all ranks; the others have none.
  func told(byRoot mine: Outcome?) throws -> String {
    let outcome = try Outcome.decoded(try broadcast(try mine?.encoded() ?? "", from: 0))
    if let error = outcome.error.first { throw error }
    return outcome.text
  }

  /// Every rank's outcome on all of them.
  func told(byAll mine: Outcome) throws -> [String] {
    let outcomes = try allGather(try mine.encoded()).map { try Outcome.decoded($0) }
    if let error = outcomes.lazy.compactMap({ $0.error.first }).first { throw error }
    return outcomes.map(\.text)
  }
}
