import Archives
import Configuration

/// How a set of shards is made from a source.
public struct ShardOptions: Configurable {
  /// What to do with an image that cannot be read or prepared.
  public enum BrokenImagePolicy: String, Codable, Sendable, CaseIterable {
    /// Stop and name it.
    case refuse
    /// Leave it out, name and count it. Its shard is smaller by one; no other image changes place.
    case skip
  }

  /// Beginning of the file names.
  public var name = "images"
  /// Number of files; 0 to follow `imagesPerShard`.
  public var shards = 0
  /// Most images in one file, where `shards` is 0.
  public var imagesPerShard = 4096
  /// Whether images are put in a random order that the seed fixes. Readers shuffle anyway, but then
  /// neighbours in a file are of all classes, and any one shard is a fair sample.
  public var shuffle = true
  public var seed: UInt64 = 42
  public var broken = BrokenImagePolicy.refuse

  public init() {}

  public func validate() throws {
    guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
      throw ConfigurationError(
        "name", "\"\(name)\" cannot begin a file name", remedy: "Give a word such as train")
    }
    guard shards >= 0, shards < 100_000 else {
      throw ConfigurationError(
        "shards", "is \(shards)", remedy: "Give 1 to 99999, or 0 to follow imagesPerShard")
    }
    guard imagesPerShard > 0 else {
      throw ConfigurationError(
        "imagesPerShard", "is \(imagesPerShard)", remedy: "Give a positive number")
    }
  }

  /// Text that changes when the shards would.
  var identity: String { "\(name)|\(shards)|\(imagesPerShard)|\(shuffle)|\(seed)|\(broken)" }
}
