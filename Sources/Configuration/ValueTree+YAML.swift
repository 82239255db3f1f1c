import Yams

extension ValueTree {
  /// The one document of a YAML text.
  /// - Parameter name: the file's name, for messages; lines are added to it.
  public init(yaml text: String, name: String) throws {
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch let error as YamlError {
      throw ConfigurationError(
        "", "not valid YAML: \(Self.problem(error))",
        remedy: "Mend the syntax; indentation is by spaces, and strings with : or # need quotes",
        source: Self.place(error).map { "\(name):\($0)" } ?? name)
    }
    var budget = Self.mostNodes
    self =
      try root.map { try ValueTree($0, name: name, path: "", budget: &budget) }
      ?? ValueTree(.null, source: name)
  }

  /// Aliases of aliases can stand for more nodes than memory holds.
  private static let mostNodes = 100_000

  private init(_ node: Node, name: String, path: String, budget: inout Int) throws {
    let source = node.mark.map { "\(name):\($0.line)" } ?? name
    budget -= 1
    guard budget >= 0 else {
      throw ConfigurationError(
        "", "the file stands for more than \(Self.mostNodes) values",
        remedy: "Write fewer, without aliases of aliases", source: name)
    }
    switch node {
    case .scalar(let scalar):
      let isPlain = scalar.style == .plain || scalar.style == .any
      self.init(isPlain ? plainScalar(scalar.string) : .string(scalar.string), source: source)
    case .sequence(let sequence):
      let elements = try sequence.enumerated().map {
        try ValueTree($0.element, name: name, path: "\(path)[\($0.offset)]", budget: &budget)
      }
      self.init(.list(elements), source: source)
    case .mapping(let pairs):
      var mapping = Mapping()
      for (key, value) in pairs {
        guard let word = key.scalar?.string else {
          throw ConfigurationError(
            path, "a key is not a word", remedy: "Write key: value lines", source: source)
        }
        let tree = try ValueTree(value, name: name, path: joined(path, word), budget: &budget)
        mapping[word] = ValueTree(
          tree.content, source: key.mark.map { "\(name):\($0.line)" } ?? source)
      }
      self.init(.mapping(mapping), source: source)
    case .alias:
      throw ConfigurationError(
        path, "the alias refers to nothing", remedy: "Define the anchor before it", source: source)
    }
  }

  private static func problem(_ error: YamlError) -> String {
    switch error {
    case .scanner(_, let problem, _, _), .parser(_, let problem, _, _),
      .composer(_, let problem, _, _):
      problem == "but found another document" ? "a second document begins" : problem
    case .duplicatedKeysInMapping(let keys, _):
      "the key \(keys.map { "\($0)" }.joined(separator: ", ")) is given twice in one mapping"
    default: "\(error)".split(separator: "\n").first.map(String.init) ?? "unknown"
    }
  }

  private static func place(_ error: YamlError) -> Int? {
    switch error {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
      mark.line
    case .duplicatedKeysInMapping(_, let context): context.mark.line
    default: nil
    }
  }
}
