import Archives

/// One image on its way into a shard.
public struct ShardItem: Sendable, Equatable {
  public var bytes: [UInt8]
  public var stored: StoredImage
  public var label: Int
  /// What to call it: the name of its file, or the source and its position there.
  public var name: String

  public init(bytes: [UInt8], stored: StoredImage, label: Int, name: String) {
    self.bytes = bytes
    self.stored = stored
    self.label = label
    self.name = name
  }
}

/// Where shards are made from: labelled images in a fixed order, each to be had by itself, so that
/// ranks share the work without talking to each other.
public protocol ShardInput: Sendable {
  var classes: [String] { get }
  var count: Int { get }
  /// How its images are stored.
  var storage: ShardWriter.Storage { get }
  /// Changes when the content does; part of the digest by which a resumed build knows its shards.
  var identity: String { get }
  /// Throws `ArchiveError` if the image cannot be read.
  func item(at index: Int) throws -> ShardItem
}

/// Any open data set as the source of shards: other shards, rendered images.
public struct SampleSourceInput: ShardInput {
  private let source: any SampleSource
  public let identity: String
  public let storage: ShardWriter.Storage
  private let name: @Sendable (Int) -> String

  /// - Parameters:
  ///   - identity: what the content is a function of, e.g. a seed and a size.
  ///   - name: what to call a sample in the shards; `describe` of the source unless given.
  public init(
    _ source: any SampleSource, identity: String,
    name: (@Sendable (Int) -> String)? = nil
  ) throws {
    self.source = source
    self.identity = identity
    self.name = name ?? { source.describe($0) }
    var bytes: [UInt8] = []
    storage = try source.read(0, into: &bytes) == .encoded ? .encoded : .raw
  }

  /// Shards, or HDF5 files of any layout that `ShardSet` reads.
  public init(_ set: ShardSet) throws {
    try self.init(set, identity: set.fingerprint, name: { set.name($0) })
  }

  public var classes: [String] { source.classes }
  public var count: Int { source.count }

  public func item(at index: Int) throws -> ShardItem {
    var bytes: [UInt8] = []
    let stored = try source.read(index, into: &bytes)
    return ShardItem(
      bytes: bytes, stored: stored, label: source.label(index), name: name(index))
  }
}
