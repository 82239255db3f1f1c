extension ValueTree {
  /// The layer that `--set a.b=v` options make together. A value is read as YAML, so `3`, `1e-3`,
  /// `[1, 2]` and `{kind: sgd}` mean what they mean in a file. The last of equal keys wins.
  init(overrides: [String]) throws {
    self.init(.mapping(.init()))
    for text in overrides {
      let source = "--set \(text)"
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let keys = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, keys.allSatisfy({ !$0.isEmpty }) else {
        throw ConfigurationError(
          "", "not an override", remedy: "Write KEY=VALUE, e.g. --set optimizer.learningRate=1e-3",
          source: source)
      }
      let value = try ValueTree(yaml: String(parts[1]), name: source).replacingSource(source)
      self = try inserting(value, at: keys[...], source: source)
    }
  }

  private func inserting(_ value: ValueTree, at keys: ArraySlice<String>, source: String) throws
    -> ValueTree
  {
    guard let first = keys.first else { return value }
    // `--set optimizer=sgd --set optimizer.momentum=0.8`: the word is the kind.
    var inner = mapping ?? .init()
    if let kind = string { inner["kind"] = ValueTree(.string(kind), source: self.source) }
    let present = inner[first] ?? ValueTree(.mapping(.init()), source: source)
    inner[first] = try present.inserting(value, at: keys.dropFirst(), source: source)
    return ValueTree(.mapping(inner), source: source)
  }

  /// The same tree with `source` at every node.
  private func replacingSource(_ source: String) -> ValueTree {
    switch content {
    case .list(let elements):
      return ValueTree(.list(elements.map { $0.replacingSource(source) }), source: source)
    case .mapping(let mapping):
      var result = Mapping()
      for (key, value) in mapping.entries { result[key] = value.replacingSource(source) }
      return ValueTree(.mapping(result), source: source)
    default: return ValueTree(content, source: source)
    }
  }
}
