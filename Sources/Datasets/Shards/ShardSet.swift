import Archives

/// Shards that together are one data set: a folder or a list of HDF5 files.
///
/// Byte positions are resolved through HDF5 once, at opening; images are then read with `pread`,
/// from any number of threads. What cannot be read so (filters, variable-length rows) goes through
/// HDF5, one read at a time.
public final class ShardSet: SampleSource {
  public let classes: [String]
  public let count: Int
  /// SHA-256 over names, sizes, counts, positions and labels of the files and, where their writer
  /// left them, the checksums of the images: changes when the data do.
  public let fingerprint: String
  let files: [ShardFile]
  /// Index of the first sample of every file, and the count at the end.
  private let starts: [Int]

  /// Opens and checks every file.
  ///
  /// - Parameters:
  ///   - paths: folders of shards, HDF5 files, or both.
  ///   - split: which part, where files or folders hold several: `train`, `validation`, `test` in
  ///     any usual spelling.
  ///   - memory: gives memory of so many bytes for positions and labels, some 12 bytes an image; this
  ///     process's own by default.
  /// - Throws: `ArchiveError` naming file and dataset.
  public init(
    paths: [String], split: String = "", memory: ((_ bytes: Int) throws -> IndexMemory)? = nil
  ) throws {
    let resolved = try ShardPaths(paths, split: split)
    let files = try resolved.files.map {
      try ShardFile($0, split: split, isChosen: resolved.splitIsChosen)
    }
    classes = try Self.commonClasses(files)
    var starts = [0]
    for file in files { starts.append(starts[starts.count - 1] + file.count) }
    self.starts = starts
    count = starts[starts.count - 1]
    fingerprint = Self.fingerprint(files)
    guard count > 0 else {
      throw ArchiveError.bad(
        paths.joined(separator: ", "), "there is not one image",
        remedy: "Give shards that hold images")
    }
    if let memory {
      let memory = try memory(files.reduce(0) { $0 + $1.indexBytes })
      self.files = files.map { $0.moving(into: memory) }
      try memory.finish()
    } else {
      self.files = files
    }
  }

  public convenience init(_ path: String, split: String = "") throws {
    try self.init(paths: [path], split: split)
  }

  public func label(_ index: Int) -> Int {
    let (file, row) = locate(index)
    return Int(file.labels[row])
  }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws -> StoredImage {
    let (file, row) = locate(index)
    return try file.images.read(row, into: &bytes)
  }

  /// Original name of a sample, empty if the shards do not tell.
  public func name(_ index: Int) -> String {
    let (file, row) = locate(index)
    return file.name(row)
  }

  /// File, position in it and original name of a sample.
  public func describe(_ index: Int) -> String {
    let (file, row) = locate(index)
    return file.describe(row)
  }

  /// The file that holds a sample, and its row there.
  func locate(_ index: Int) -> (file: ShardFile, row: Int) {
    precondition(index >= 0 && index < count, "sample \(index) of \(count)")
    var low = 0
    var high = files.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= index { low = middle } else { high = middle }
    }
    return (files[low], index - starts[low])
  }

  private static func commonClasses(_ files: [ShardFile]) throws -> [String] {
    let listed = files.first { !$0.classes.isEmpty }
    let largest = files.flatMap { $0.labels.max().map { [Int($0)] } ?? [] }.max() ?? -1
    guard let listed else { return (0..<(largest + 1)).map(String.init) }
    for file in files where file.classes != listed.classes {
      throw ArchiveError.bad(
        file.path, difference(file.classes, listed),
        remedy: "Make all shards of a set from one class list")
    }
    return listed.classes
  }

  private static func difference(_ classes: [String], _ other: ShardFile) -> String {
    if classes.isEmpty { return "has no class list, \(other.path) has one" }
    if classes.count != other.classes.count {
      return "has \(classes.count) classes, \(other.path) has \(other.classes.count)"
    }
    let index = zip(classes, other.classes).enumerated().first { $1.0 != $1.1 }?.offset ?? 0
    return "calls class \(index) \(classes[index]), \(other.path) calls it \(other.classes[index])"
  }

  private static func fingerprint(_ files: [ShardFile]) -> String {
    let digest = SHA256Digest()
    for file in files {
      let name = FileSystem.name(of: file.path)
      digest.update("\(name)\t\(file.size)\t\(file.count)\t\(file.tableCRC)\t\(file.content)\n")
    }
    return digest.finish()
  }
}
