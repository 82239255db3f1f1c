import Archives

/// A checkpoint that cannot be written, found or trusted.
public struct CheckpointError: Error, Equatable, Codable, CustomStringConvertible {
  public enum Kind: String, Sendable, Codable {
    /// The content is wrong: damaged, of another model, incomplete. Exit code 65.
    case badData
    /// The system refused: missing, not permitted, disk full, folder in use. Exit code 74.
    case inputOutput
  }

  public let kind: Kind
  public let path: String
  public let problem: String
  public let remedy: String

  public init(_ kind: Kind, path: String, _ problem: String, remedy: String) {
    self.kind = kind
    self.path = path
    self.problem = problem
    self.remedy = remedy
  }

  init(_ error: ArchiveError) {
    self.init(
      error.kind == .badData ? .badData : .inputOutput, path: error.path, error.problem,
      remedy: error.remedy)
  }

  static func damaged(_ path: String, _ problem: String) -> CheckpointError {
    CheckpointError(
      .badData, path: path, problem,
      remedy: "Resume from an earlier checkpoint; `vitdist checkpoint verify` lists the damage")
  }

  public var description: String { "\(path): \(problem). \(remedy)." }
}
