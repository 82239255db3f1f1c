import Autograd

/// What `manifest.json` says: the scalar state of the run and the files that hold the rest. A folder
/// without a valid one is no checkpoint.
public struct CheckpointManifest: Codable, Sendable, Equatable {
  public static let formatVersion = 1
  public static let fileName = "manifest.json"

  public struct Parameter: Codable, Sendable, Equatable {
    public let name: String
    public let shape: [Int]
    /// First element in the slab.
    public let offset: Int
    public var range: Range<Int> { offset..<offset + shape.reduce(1, *) }
  }

  public struct File: Codable, Sendable, Equatable {
    public let name: String
    public let bytes: Int
    /// CRC-32C of the header without its own checksum, followed by the data. Not of the whole file:
    /// over bytes that end in their own CRC a CRC is the same whatever the bytes are.
    public let crc32c: UInt32
  }

  public internal(set) var formatVersion = Self.formatVersion
  public internal(set) var vitdistVersion: String
  public internal(set) var step: Int
  public internal(set) var epoch: Int
  public internal(set) var samplesSeen: Int
  public internal(set) var seed: UInt64
  /// Ranks that wrote it; any number can read it.
  public internal(set) var ranks: Int
  public internal(set) var virtualShards: Int
  public internal(set) var configDigest: String
  public internal(set) var dataFingerprint: String
  public internal(set) var blasKernel: String
  public internal(set) var model: String
  public internal(set) var state: [String: String]
  public internal(set) var metrics: [String: Double]
  /// Names of the slabs, sorted.
  public internal(set) var slabs: [String]
  /// Elements of each slab that is laid out like the parameters, gaps included.
  public internal(set) var elementCount: Int
  /// Elements of the slabs that are not, by name; not in the file where there are none.
  var arrays: [String: Int]?
  public internal(set) var parameters: [Parameter]
  public internal(set) var files: [File]
  var checksum = CheckpointManifest.blankChecksum
  /// The folder it was read from; not stored.
  public internal(set) var path = ""

  private enum CodingKeys: String, CodingKey {
    case formatVersion, vitdistVersion, step, epoch, samplesSeen, seed, ranks, virtualShards
    case configDigest, dataFingerprint, blasKernel, model, state, metrics, slabs, elementCount
    case arrays, parameters, files, checksum
  }

  init(_ content: CheckpointContent, files: [File]) {
    vitdistVersion = content.vitdistVersion
    step = content.step
    epoch = content.epoch
    samplesSeen = content.samplesSeen
    seed = content.seed
    ranks = files.count
    virtualShards = content.virtualShards
    configDigest = content.configDigest
    dataFingerprint = content.dataFingerprint
    blasKernel = content.blasKernel
    model = content.model
    state = content.state
    metrics = content.metrics
    slabs = content.slabs.map(\.name).sorted()
    elementCount = content.layout.count
    let arrays = content.slabs.compactMap { slab in slab.arrayCount.map { (slab.name, $0) } }
    self.arrays = arrays.isEmpty ? nil : Dictionary(uniqueKeysWithValues: arrays)
    parameters = Self.parameters(of: content.layout)
    self.files = files
  }

  private static func parameters(of layout: ParameterLayout) -> [Parameter] {
    layout.entries.map { Parameter(name: $0.name, shape: $0.shape.extents, offset: $0.offset) }
  }

  /// Throws, naming the first parameter that differs, unless the checkpoint is of this layout.
  ///
  /// - Parameter allowingMore: whether it may hold further parameters after these: what an objective
  ///   trained against the model.
  public func check(_ layout: ParameterLayout, allowingMore: Bool = false) throws {
    func text(_ parameter: Parameter?) -> String {
      parameter.map { "\($0.name) \($0.shape)" } ?? "nothing"
    }
    let expected = Self.parameters(of: layout)
    if expected == parameters && elementCount == layout.count { return }
    if allowingMore, expected == Array(parameters.prefix(expected.count)) { return }
    let count = max(expected.count, parameters.count)
    let pairs = (0..<count).lazy.map { i in
      (
        i < expected.count ? expected[i] : nil,
        i < self.parameters.count ? self.parameters[i] : nil
      )
    }
    let difference = pairs.first { $0 != $1 }
    throw CheckpointError(
      .badData, path: path,
      "the checkpoint is of another model: expected \(text(difference?.0)), "
        + "found \(text(difference?.1))",
      remedy: "Use the config that the checkpoint was written with, or start with --resume none")
  }

  /// Whether a slab is laid out like the parameters.
  func hasParameters(_ slab: String) -> Bool { arrays?[slab] == nil }

  /// Elements of a slab, gaps included.
  func count(of slab: String) -> Int { arrays?[slab] ?? elementCount }

  /// Names of the parameters that have elements in a range of a slab; of an array, its own.
  func parameters(in range: Range<Int>, of slab: String) -> [String] {
    guard hasParameters(slab) else { return [slab] }
    return parameters.filter { $0.range.overlaps(range) }.map(\.name)
  }
}
