import Archives

/// What is in a set of shards.
public struct ShardInspection: Codable, Sendable, Equatable {
  /// One file.
  public struct File: Codable, Sendable, Equatable {
    public var path: String
    /// How images are stored, e.g. `encoded streams` or `raw 32x32x3`.
    public var layout: String
    public var images: Int
    /// Size of the file.
    public var bytes: Int
    /// Number of images of every class.
    public var labels: [Int]
  }

  public var files: [File]
  public var images: Int
  public var bytes: Int
  public var classes: [String]
  /// Number of images of every class.
  public var labels: [Int]
  public var fingerprint: String

  public init(_ set: ShardSet) {
    let files = set.files.map { file in
      var labels = [Int](repeating: 0, count: set.classes.count)
      for label in file.labels { labels[Int(label)] += 1 }
      return File(
        path: file.path, layout: file.images.layout, images: file.count, bytes: file.size,
        labels: labels)
    }
    self.files = files
    images = set.count
    bytes = files.reduce(0) { $0 + $1.bytes }
    classes = set.classes
    labels = set.classes.indices.map { label in files.reduce(0) { $0 + $1.labels[label] } }
    fingerprint = set.fingerprint
  }
}
