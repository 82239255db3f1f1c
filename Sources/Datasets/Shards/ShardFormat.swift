import Archives

/// The layout that vitdist writes: plain HDF5 files that any tool opens.
///
/// Images are `images` uint8 [N, H, W, C] in chunks of one image, or JPEG and PNG streams end to
/// end in `encoded` uint8 [bytes] with `offsets` uint64 [N + 1]. `labels` is int64 [N]; `names`
/// (source files) may be absent. The root carries `format`, `version`, `classes` (names), `content`
/// (CRC32C of image bytes, then labels) and `build` (digest of what the shard was made from).
public enum ShardFormat {
  public static let format = "vitdist-shard"
  public static let version = 1

  static let images = "images"
  static let encoded = "encoded"
  static let offsets = "offsets"
  static let labels = "labels"
  static let names = "names"
  static let classes = "classes"
  static let build = "build"
  static let content = "content"

  /// Attributes live in one 64 KiB header; longer class lists become a dataset of the same name.
  static let classesInAttribute = 3000
}

/// `NAME-00003-of-00128.h5`: one file of a set, counted from zero.
public struct ShardFileName: Hashable, Sendable, CustomStringConvertible {
  public var name: String
  public var index: Int
  public var total: Int

  public init(_ name: String, index: Int, total: Int) {
    self.name = name
    self.index = index
    self.total = total
  }

  /// The parts of a file name, or nil if it is not of this form.
  public init?(parsing fileName: String) {
    guard fileName.hasSuffix(".h5") else { return nil }
    let parts = fileName.dropLast(3).split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[parts.count - 2] == "of",
      let index = Self.number(parts[parts.count - 3]),
      let total = Self.number(parts[parts.count - 1]),
      index < total
    else { return nil }
    self.init(parts.dropLast(3).joined(separator: "-"), index: index, total: total)
  }

  private static func number(_ digits: Substring) -> Int? {
    digits.count >= 5 && digits.allSatisfy(\.isASCIIDigit) ? Int(digits) : nil
  }

  public var description: String { "\(name)-\(Self.padded(index))-of-\(Self.padded(total)).h5" }

  private static func padded(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
