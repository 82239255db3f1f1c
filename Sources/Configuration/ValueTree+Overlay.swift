extension ValueTree {
  /// These defaults with the entries of `layer` put over them, key by key.
  ///
  /// A key that the defaults do not have is an error. Where the defaults hold a choice of a
  /// catalogue, a `kind` other than the present one brings in that kind's own defaults, and a plain
  /// string stands for `{kind: string}`. Lists and dictionaries are replaced as a whole.
  func overlaid(by layer: ValueTree, path: String = "") throws -> ValueTree {
    guard let defaults = mapping else { return layer }
    var result = self
    result.source = layer.source
    if let catalog {
      let chosen = try withKind(of: layer, in: catalog, path: path)
      if case .string = layer.content { return chosen }
      result = chosen
    }
    guard let additions = layer.mapping else {
      throw ConfigurationError(
        path, "found \(layer.described) where a mapping of options is expected",
        remedy: path.isEmpty || defaults.keys.isEmpty
          ? "Write key: value lines"
          : "Write options under it, e.g. \(joined(path, defaults.keys[0])); to keep the defaults, "
            + "remove the key",
        source: layer.source)
    }
    if isOpen {
      result.content = layer.content
      return result
    }
    var merged = result.mapping ?? .init()
    for (key, value) in additions.entries {
      let keyPath = joined(path, key)
      if let present = merged[key] {
        merged[key] = try present.overlaid(by: value, path: keyPath)
      } else {
        throw unknownKey(key, at: path, among: merged.keys, source: value.source)
      }
    }
    result.content = .mapping(merged)
    return result
  }

  /// These options, or the defaults of the kind that `layer` asks for if that is another.
  private func withKind(of layer: ValueTree, in catalog: CatalogListing, path: String) throws
    -> ValueTree
  {
    guard let wanted = layer.mapping == nil ? layer : layer.mapping?["kind"] else { return self }
    guard let name = wanted.string else {
      throw ConfigurationError(
        layer.mapping == nil ? path : joined(path, "kind"),
        "found \(wanted.described) where the kind of \(catalog.subject) is expected",
        remedy: "Known kinds: \(catalog.kinds.map(\.name).joined(separator: ", "))",
        source: wanted.source)
    }
    guard let kind = catalog.kinds.first(where: { $0.name == name }) else {
      throw catalog.unknown(name, at: path, source: wanted.source)
    }
    if mapping?["kind"]?.string == name { return self }
    var replacement = kind.defaults
    replacement.catalog = catalog
    replacement.source = layer.source
    return replacement
  }

  private func unknownKey(_ key: String, at path: String, among keys: [String], source: String)
    -> ConfigurationError
  {
    let hint = nearest(key, among: keys).map { "Did you mean \(joined(path, $0))? " } ?? ""
    return ConfigurationError(
      joined(path, key), "unknown key",
      remedy: hint
        + (keys.isEmpty ? "No keys are valid here" : "Valid keys: \(keys.joined(separator: ", "))"),
      source: source)
  }
}
