extension ValueTree {
  /// These defaults with the entries of `layer` put over them, key by key.
  ///
  /// A key that the defaults do not have is an error. Where the defaults hold a choice of a
  /// catalogue, a `kind` other than the present one brings in that kind's own defaults, and a plain
  /// string stands for `{kind: string}`. Lists and dictionaries are replaced as a whole.
  ///
  /// - Parameter root: the whole tree of defaults, where `path` leads to this part of it.
  func overlaid(by layer: ValueTree, path: String = "", root: ValueTree? = nil) throws -> ValueTree
  {
    let root = root ?? self
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
        merged[key] = try present.overlaid(by: value, path: keyPath, root: root)
      } else {
        throw unknownKey(key, at: path, among: merged.keys, root: root, source: value.source)
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

  private func unknownKey(
    _ key: String, at path: String, among keys: [String], root: ValueTree, source: String
  ) -> ConfigurationError {
    let elsewhere = root.paths(of: key)
    let guesses = nearest(key, among: keys).map { [joined(path, $0)] } ?? elsewhere
    let hint = guesses.isEmpty ? "" : "Did you mean \(guesses.joined(separator: " or "))? "
    return ConfigurationError(
      joined(path, key), "unknown key",
      remedy: hint
        + (keys.isEmpty ? "No keys are valid here" : "Valid keys: \(keys.joined(separator: ", "))"),
      source: source)
  }

  /// Where a key of this name is valid: the usual mistake is the wrong section.
  private func paths(of key: String, under path: String = "") -> [String] {
    (isOpen ? [] : mapping?.entries ?? []).flatMap { name, value in
      (name == key ? [joined(path, name)] : [])
        + value.paths(of: key, under: joined(path, name))
    }
  }
}
