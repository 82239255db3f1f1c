import Archives

/// A pair of idx files, the format of MNIST and its successors: images uint8 [N, H, W] (or with
/// channels last) and labels uint8 [N], compressed or not.
public struct IdxInput: ShardInput {
  public let classes: [String]
  public let count: Int
  public let identity: String
  public let storage = ShardWriter.Storage.raw
  private let images: IdxArray
  private let labels: IdxArray
  private let kind: StoredImage

  /// - Parameters:
  ///   - path: the file of images, or a folder of the usual four files.
  ///   - split: which pair of a folder; `train` unless given.
  ///   - classes: names; the numbers if empty.
  public init(_ path: String, split: String = "", classes: [String] = []) throws {
    let imagePath = FileSystem.isFolder(path) ? try Self.find(in: path, split: split) : path
    let labelPath = try Self.labelPath(for: imagePath)
    images = try IdxArray(imagePath)
    labels = try IdxArray(labelPath)
    guard images.shape.count == 3 || (images.shape.count == 4 && [1, 3].contains(images.shape[3]))
    else {
      throw ArchiveError.bad(
        imagePath, "has shape \(images.shape), expected [N, H, W]",
        remedy: "Give the file of images; its labels are found by name")
    }
    guard labels.shape == [images.shape[0]] else {
      throw ArchiveError.bad(
        labelPath, "has shape \(labels.shape), expected [\(images.shape[0])] as there are images",
        remedy: "Give images and labels of the same set")
    }
    count = images.shape[0]
    kind = .raw(
      width: images.shape[2], height: images.shape[1],
      channels: images.shape.count == 4 ? images.shape[3] : 1)
    let largest = Int(labels.values.max() ?? 0)
    guard classes.isEmpty || largest < classes.count else {
      throw ArchiveError.bad(
        labelPath, "label \(largest) is out of range, there are \(classes.count) classes",
        remedy: "Correct the class list")
    }
    self.classes = classes.isEmpty ? (0...largest).map(String.init) : classes
    identity = "idx \(images.crc) \(labels.crc)"
  }

  public func item(at index: Int) throws -> ShardItem {
    let size = images.values.count / max(1, count)
    return ShardItem(
      bytes: Array(images.values.dropFirst(index * size).prefix(size)), stored: kind,
      label: Int(labels.values[labels.values.startIndex + index]),
      name: "\(FileSystem.name(of: images.path)) \(index)")
  }

  private static func find(in folder: String, split: String) throws -> String {
    let wanted = SplitName.canonical(split.isEmpty ? "train" : split)
    let prefixes = wanted == "train" ? ["train"] : ["t10k", "test", "val", "validation"]
    let names = try FileSystem.list(folder)
    let found = names.first { name in
      name.contains("images") && name.contains("idx3") && prefixes.contains { name.hasPrefix($0) }
    }
    guard let found else {
      throw ArchiveError.bad(
        folder, "has no idx file of \(wanted) images (such as \(prefixes[0])-images-idx3-ubyte.gz)",
        remedy: "Give the file of images itself")
    }
    return FileSystem.join(folder, found)
  }

  private static func labelPath(for imagePath: String) throws -> String {
    let name = FileSystem.name(of: imagePath).replacing("images", with: "labels")
    let base = name.replacing("idx3", with: "idx1").replacing("idx4", with: "idx1")
    let bare = base.hasSuffix(".gz") ? String(base.dropLast(3)) : base
    for candidate in [base, bare, bare + ".gz"] {
      let path = FileSystem.join(FileSystem.parent(of: imagePath), candidate)
      if path != imagePath, FileSystem.exists(path) { return path }
    }
    throw ArchiveError.bad(
      imagePath, "its labels (\(base)) are not beside it", remedy: "Put both files in one folder")
  }
}

/// One idx file in memory.
struct IdxArray: Sendable {
  let path: String
  let shape: [Int]
  let values: ArraySlice<UInt8>
  let crc: UInt32

  init(_ path: String) throws {
    self.path = path
    let bytes = try ArchiveStream.unpacked(path)
    crc = bytes.withUnsafeBytes { CRC32C.of($0) }
    guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0, bytes[3] > 0 else {
      throw ArchiveError.bad(path, "is not an idx file", remedy: "Give a file such as MNIST's")
    }
    guard bytes[2] == 8 else {
      throw ArchiveError.bad(
        path, "holds elements of type \(bytes[2]), expected 8 (uint8)",
        remedy: "Convert it to uint8")
    }
    let rank = Int(bytes[3])
    let start = 4 + 4 * rank
    guard bytes.count >= start else {
      throw ArchiveError.bad(path, "ends inside its header", remedy: "Copy it again")
    }
    shape = (0..<rank).map { axis in
      bytes[4 + 4 * axis..<8 + 4 * axis].reduce(0) { $0 << 8 | Int($1) }
    }
    guard shape.checkedProduct == bytes.count - start, !shape.contains(0) else {
      throw ArchiveError.bad(
        path, "has \(bytes.count - start) bytes for the shape \(shape)", remedy: "Copy it again")
    }
    values = bytes[start...]
  }
}
