/// Why an attack cannot be made, or its result cannot be trusted.
public struct AttackError: Error, CustomStringConvertible {
  public enum Kind: Sendable {
    /// Images, labels or the model's scores are not what they must be. Exit code 65.
    case badData
    /// The attack broke its own bounds. Exit code 70.
    case broken
  }

  public let kind: Kind
  public let attack: String
  public let problem: String
  public let remedy: String

  public init(_ kind: Kind, attack: String, _ problem: String, remedy: String) {
    self.kind = kind
    self.attack = attack
    self.problem = problem
    self.remedy = remedy
  }

  public var description: String { "attack \(attack): \(problem). \(remedy)." }
}
