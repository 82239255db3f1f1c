import Archives

/// Which datasets of a file hold the images and labels of one split.
struct ShardLayout: Equatable {
  /// Canonical name of the split, empty if the file has only one.
  var split = ""
  var images: String
  /// Byte positions in `images` where that is one block of streams; empty otherwise.
  var offsets = ""
  var labels: String
  /// Rows of the split; nil for all.
  var rows: Range<Int>?
  /// Dataset of the samples' names; empty if there is none.
  var names = ""

  /// Finds the layout of the wanted split.
  ///
  /// - Parameter isChosen: whether the split was told by the file's name, so that a file without
  ///   splits is what is wanted.
  static func find(in file: HDF5File, split: String, isChosen: Bool) throws -> ShardLayout {
    let layouts = try all(in: file)
    let known = layouts.map(\.split).joined(separator: ", ")
    if split.isEmpty || (isChosen && layouts.count == 1) {
      guard layouts.count == 1 else {
        throw ArchiveError.bad(
          file.path, "holds the splits \(known)", remedy: "Name one of them as the split")
      }
      return layouts[0]
    }
    guard let layout = layouts.first(where: { $0.split == SplitName.canonical(split) }) else {
      throw ArchiveError.bad(
        file.path, "has no split \(split)" + (known.isEmpty ? "" : ", only \(known)"),
        remedy: known.isEmpty ? "Leave the split away" : "Name one of them as the split")
    }
    return layout
  }

  /// Every split of a file; at least one.
  private static func all(in file: HDF5File) throws -> [ShardLayout] {
    if try isOwn(file) {
      let isEncoded = file.contains(ShardFormat.encoded)
      return [
        ShardLayout(
          images: isEncoded ? ShardFormat.encoded : ShardFormat.images,
          offsets: isEncoded ? ShardFormat.offsets : "", labels: ShardFormat.labels,
          names: file.contains(ShardFormat.names) ? ShardFormat.names : "")
      ]
    }
    let candidates = try ShardCandidates(file)
    if let ranges = try fuelRanges(file, candidates) { return ranges }
    return try candidates.layouts()
  }

  private static func isOwn(_ file: HDF5File) throws -> Bool {
    guard (try? file.attributes.string("format")) == ShardFormat.format else { return false }
    let version = try file.attributes.integer("version") ?? 0
    guard version == ShardFormat.version else {
      throw ArchiveError.bad(
        file.path, "is a shard of version \(version), this program reads \(ShardFormat.version)",
        remedy: "Use a matching version of vitdist or make the shards again")
    }
    return true
  }

  /// The ranges of rows in fuel's `split` attribute; nil if there is none.
  private static func fuelRanges(
    _ file: HDF5File, _ candidates: ShardCandidates
  ) throws -> [ShardLayout]? {
    guard
      let records = try file.attributes.records(
        "split", strings: ["split", "source"], integers: ["start", "stop"])
    else { return nil }
    let whole = try candidates.layouts()
    guard whole.count == 1 else { return nil }
    var layouts: [ShardLayout] = []
    for record in records where record.strings["source"] == whole[0].images {
      guard let start = record.integers["start"], let stop = record.integers["stop"],
        0 <= start, start <= stop
      else {
        throw ArchiveError.bad(
          file.path, "its attribute split has a range that ends before it starts",
          remedy: "Make the file again")
      }
      var layout = whole[0]
      layout.split = SplitName.canonical(record.strings["split"] ?? "")
      layout.rows = start..<stop
      if start < stop { layouts.append(layout) }
    }
    return layouts.isEmpty ? nil : layouts
  }
}

/// Datasets of a file made by another program, recognised by the words of their names.
struct ShardCandidates {
  private let path: String
  private var images: [String: [String]] = [:]
  private var labels: [String: [String]] = [:]
  private var offsets = ""
  private var names = ""

  private static let imageWords: Set<String> = [
    "images", "image", "img", "imgs", "x", "data", "features", "encoded", "pixels", "set",
  ]
  private static let labelWords: Set<String> = [
    "labels", "label", "y", "targets", "target", "lbl", "class", "ids", "set",
  ]

  init(_ file: HDF5File) throws {
    path = file.path
    for name in try Self.datasets(of: file) {
      let words = SplitName.words(name)
      let split = words.lazy.compactMap(SplitName.known).first ?? ""
      let rest = Set(words.filter { SplitName.known($0) == nil })
      if rest == ["offsets"] {
        offsets = name
      } else if ["names", "filenames", "paths"].contains(name) {
        names = name
      } else if !rest.isEmpty, rest.isSubset(of: Self.imageWords) {
        images[split, default: []].append(name)
      } else if !rest.isEmpty, rest.isSubset(of: Self.labelWords) {
        labels[split, default: []].append(name)
      }
    }
  }

  /// Names of the datasets at the root and one group below.
  private static func datasets(of file: HDF5File) throws -> [String] {
    try file.names().flatMap { name -> [String] in
      if file.isDataset(name) { return [name] }
      let inner = (try? file.names(in: name)) ?? []
      return inner.map { "\(name)/\($0)" }.filter(file.isDataset)
    }
  }

  func layouts() throws -> [ShardLayout] {
    guard !images.isEmpty else {
      throw ArchiveError.bad(
        path,
        "has no dataset of images (looked for images, image, img, x, data, features, "
          + "encoded_images, also with a split as in train_img)",
        remedy: "Rename the dataset of images to `images`")
    }
    return try images.keys.sorted().compactMap { split in
      let image = try one(images[split] ?? [], "images")
      // Test images without labels stand beside other splits in several layouts.
      guard let found = labels[split] ?? (images.count == 1 ? labels.values.first : nil) else {
        guard images.count > 1 else { throw missingLabels(image) }
        return nil
      }
      return ShardLayout(
        split: images.count == 1 && found != labels[split] ? "" : split, images: image,
        offsets: offsets, labels: try one(found, "labels"), names: names)
    }
  }

  private func missingLabels(_ image: String) -> ArchiveError {
    .bad(
      path, "has images (\(image)) but no labels (looked for labels, label, y, targets)",
      remedy: "Rename the dataset of labels to `labels`")
  }

  private func one(_ names: [String], _ kind: String) throws -> String {
    guard let first = names.first, names.count == 1 else {
      throw ArchiveError.bad(
        path, "\(names.joined(separator: " and ")) could both be the \(kind)",
        remedy: "Name one of them `\(kind)` and the other differently")
    }
    return first
  }
}
