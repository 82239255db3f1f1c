import Foundation

extension Configurable {
  /// The options that a YAML file spells: defaults, then the files it extends from the base up, then
  /// the file, then the overrides; checked and validated.
  /// - Parameters:
  ///   - file: path of a YAML mapping. Its key `extends` names a file relative to it.
  ///   - overrides: `a.b=v` each; they make one layer, so their order does not matter to `kind`.
  public init(file: String, overrides: [String] = []) throws {
    try self.init(layers: ConfigurationFile.layers(of: file), overrides: overrides)
  }

  /// The options that a YAML text spells; `extends` is not allowed in it.
  public init(yaml text: String, name: String = "text", overrides: [String] = []) throws {
    try self.init(layers: [ValueTree(yaml: text, name: name)], overrides: overrides)
  }

  private init(layers: [ValueTree], overrides: [String]) throws {
    var tree = ValueTree(encoding: Self())
    for layer in layers + [try ValueTree(overrides: overrides)] where layer.content != .null {
      tree = try tree.overlaid(by: layer)
    }
    self = try tree.decoded(as: Self.self)
  }

  /// All options, defaults included, in order of declaration; loading it gives an equal value.
  public var yaml: String { ValueTree(encoding: self).yaml }

  /// One text for all equal options, to be hashed; `keys` of the top level do not count, such as a
  /// description.
  public func canonical(excluding keys: Set<String> = []) -> String {
    var tree = ValueTree(encoding: self)
    var mapping = tree.mapping ?? .init()
    for key in keys { mapping[key] = nil }
    tree.content = .mapping(mapping)
    return tree.canonical
  }

  /// These options after the checks that loading makes, for options made in code.
  public func validated() throws -> Self {
    try ValueTree(encoding: self).decoded(as: Self.self)
  }
}

/// Reads a configuration file and what it extends.
enum ConfigurationFile {
  /// Base first, the named file last, each without its key `extends`.
  static func layers(of file: String) throws -> [ValueTree] {
    var layers: [ValueTree] = []
    var visited: [String] = []
    var next: (path: String, source: String)? = (file, "")
    while let (path, source) = next {
      let identity = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
      if visited.contains(identity) {
        throw ConfigurationError(
          "extends",
          "the files extend each other in a circle: "
            + (visited + [identity]).map { ($0 as NSString).lastPathComponent }
            .joined(separator: " -> "),
          remedy: "Remove one of the extends", source: source)
      }
      visited.append(identity)
      var tree = try ValueTree(yaml: read(path, source: source), name: path)
      next = try removeExtends(from: &tree).map { (resolved($0.0, from: path), $0.1) }
      layers.insert(tree, at: 0)
    }
    return layers
  }

  private static func resolved(_ name: String, from file: String) -> String {
    let folder = (file as NSString).deletingLastPathComponent
    return name.hasPrefix("/") || folder.isEmpty ? name : "\(folder)/\(name)"
  }

  private static func read(_ path: String, source: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ConfigurationError(
        source.isEmpty ? "" : "extends", "cannot read the file \(path)",
        remedy: "Give the path of a YAML file", source: source)
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw ConfigurationError(
        "", "the file is not UTF-8 text", remedy: "Give the path of a YAML file", source: path)
    }
    return text
  }

  private static func removeExtends(from tree: inout ValueTree) throws -> (String, String)? {
    guard var mapping = tree.mapping, let value = mapping["extends"] else { return nil }
    guard let name = value.string, !name.isEmpty else {
      throw ConfigurationError(
        "extends", "found \(value.described) where the name of a file is expected",
        remedy: "Write extends: FILE, relative to this file", source: value.source)
    }
    mapping["extends"] = nil
    tree.content = .mapping(mapping)
    return (name, value.source)
  }
}
