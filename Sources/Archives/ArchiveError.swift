/// A file that cannot be read, written or trusted.
public struct ArchiveError: Error, CustomStringConvertible {
  public enum Kind: Sendable {
    /// The content is wrong: truncated, of another type, out of range. Exit code 65.
    case badData
    /// The system refused: missing, not permitted, disk full. Exit code 74.
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

  public var description: String { "\(path): \(problem). \(remedy)." }
}
