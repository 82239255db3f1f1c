import Autograd
import Checkpoints
import Collectives
import Foundation
import Tensors

/// A state small enough to write hundreds of times, of any number of ranks.
enum Sample {
  static let layout: ParameterLayout = {
    var layout = ParameterLayout()
    layout.append("embedding.weight", [37, 100])
    layout.append("blocks.0.norm.bias", [13])
    layout.append("blocks.0.mlp.weight", [80, 250])
    layout.append("head.bias", [10])
    return layout
  }()

  static let slabs = ["adamw.m", "adamw.v", "parameters"]

  static func value(_ slab: String, _ element: Int, version: Int = 0) -> Float {
    RandomKey(seed: UInt64(version), .synthesis, name: slab).uniformFloat(element)
  }

  /// All elements of the usual layout, which some tests ask for thousands of times.
  static func values(_ slab: String, version: Int) -> [Float] {
    if let known = known[version]?[slab] { return known }
    return (0..<layout.count).map { value(slab, $0, version: version) }
  }

  private static let known: [Int: [String: [Float]]] = Dictionary(
    uniqueKeysWithValues: (0...2).map { version in
      let values = slabs.map { name in
        (name, (0..<layout.count).map { value(name, $0, version: version) })
      }
      return (version, Dictionary(uniqueKeysWithValues: values))
    })

  /// Two separate runs of whole blocks a rank, as the reducer's buckets give.
  static func ranges(of rank: Int, ranks: Int, count: Int = layout.count) -> [Range<Int>] {
    let blocks = count / ParameterLayout.blockSize
    let half = blocks / 2
    func cut(_ start: Int, _ length: Int) -> Range<Int> {
      let size = ParameterLayout.blockSize
      return (start + rank * length / ranks) * size..<(start + (rank + 1) * length / ranks) * size
    }
    return [cut(0, half), cut(half, blocks - half)]
  }

  /// Saves as rank of `store`'s group: weights in a whole slab, moments packed.
  @discardableResult
  static func save(
    _ store: CheckpointStore, _ group: any Communicator, step: Int, version: Int = 0,
    metrics: [String: Double] = [:], layout: ParameterLayout = layout
  ) throws -> CheckpointManifest {
    let state = State(group, version: version, layout: layout)
    return try store.save(state.content(step: step, metrics: metrics))
  }

  /// Saves the same in the background, beside steps that spoil the state at once.
  static func saveInBackground(
    _ store: CheckpointStore, _ group: any Communicator, step: Int, version: Int = 0
  ) throws {
    let state = State(group, version: version, layout: layout)
    try store.begin(state.content(step: step))
    while store.isPending {
      state.spoil()
      let isBusy = try group.allReduce(store.isBusy ? 1 : 0, by: .maximum) > 0
      if isBusy { usleep(100) } else { try store.advance() }
    }
  }

  /// A rank's memory of a state.
  final class State {
    private let layout: ParameterLayout
    private let ranges: [Range<Int>]
    private let memory: [UnsafeMutableBufferPointer<Float>]

    init(_ group: any Communicator, version: Int, layout: ParameterLayout = Sample.layout) {
      let ranges = Sample.ranges(of: group.rank, ranks: group.size, count: layout.count)
      self.layout = layout
      self.ranges = ranges
      memory = slabs.map { name in
        let elements = name == "parameters" ? [0..<layout.count] : ranges
        let usual = layout == Sample.layout ? Sample.values(name, version: version) : []
        let values = elements.flatMap { range in
          usual.isEmpty
            ? range.map { value(name, $0, version: version) } : Array(usual[range])
        }
        let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: max(1, values.count))
        _ = buffer.initialize(from: values)
        return buffer
      }
    }

    deinit { memory.forEach { $0.deallocate() } }

    func spoil() { for buffer in memory { buffer.update(repeating: .nan) } }

    func content(step: Int, metrics: [String: Double] = [:]) -> CheckpointContent {
      let held = zip(slabs, memory).map { name, buffer in
        name == "parameters"
          ? CheckpointSlab(name, whole: buffer.baseAddress!, ranges: ranges)
          : CheckpointSlab(name, packed: buffer.baseAddress!, ranges: ranges)
      }
      var content = CheckpointContent(layout: layout, slabs: held)
      content.step = step
      content.epoch = step / 10
      content.samplesSeen = step * 256
      content.seed = .max
      content.model = "{\"kind\" : \"vit\", \"checksum\" : \"00000000\"}"
      content.state = ["schedule.updates": "\(step)"]
      content.metrics = metrics
      return content
    }
  }

  /// Loads this rank's ranges (moments) and the whole weights; true if every element is right.
  static func loads(
    _ manifest: CheckpointManifest, _ store: CheckpointStore, _ group: any Communicator,
    version: Int = 0
  ) throws -> Bool {
    let ranges = ranges(of: group.rank, ranks: group.size)
    var whole = [Float](repeating: .nan, count: layout.count)
    var packed = [Float](repeating: .nan, count: ranges.reduce(0) { $0 + $1.count } + 1)
    try whole.withUnsafeMutableBufferPointer { whole in
      try packed.withUnsafeMutableBufferPointer { packed in
        try store.load(
          manifest,
          into: [
            CheckpointSlab("parameters", whole: whole.baseAddress!, ranges: [0..<layout.count]),
            CheckpointSlab("adamw.v", packed: packed.baseAddress!, ranges: ranges),
          ])
      }
    }
    let weights = values("parameters", version: version)
    let moments = ranges.flatMap { values("adamw.v", version: version)[$0] }
    return whole == weights && Array(packed.dropLast()) == moments && packed.last!.isNaN
  }

  /// Runs `body` with a new empty folder.
  ///
  /// - Parameter inMemory: on a file system without a disk, where there is one: for what saves
  ///   thousands of times.
  static func withFolder<Result>(
    inMemory: Bool = false, _ body: (String) throws -> Result
  ) throws -> Result {
    let memory = "/dev/shm"
    let isThere = inMemory && FileManager.default.isWritableFile(atPath: memory)
    let parent = isThere ? memory : FileManager.default.temporaryDirectory.path
    let folder = parent + "/vitdist-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }

  static func names(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
      .filter { $0 != "lock" }
  }
}
