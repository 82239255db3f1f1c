import Autograd

/// A slab of which a rank holds some elements: where the elements of each range lie in memory.
///
/// The memory must stay valid while a checkpoint is saved or loaded.
public struct CheckpointSlab {
  struct Piece {
    let elements: Range<Int>
    let pointer: UnsafeMutablePointer<Float>
  }

  /// E.g. `parameters`, `adamw.m`, `adamw.v`, `ema`.
  public let name: String
  let pieces: [Piece]
  /// Elements of an array over all ranks; nil for a slab that is laid out like the parameters.
  let arrayCount: Int?

  /// `ranges` of a slab that is in memory whole; `pointer` is its first element.
  public init(_ name: String, whole pointer: UnsafeMutablePointer<Float>, ranges: [Range<Int>]) {
    self.name = name
    pieces = ranges.map { Piece(elements: $0, pointer: pointer + $0.lowerBound) }
    arrayCount = nil
  }

  /// The elements `range`, from `pointer` on, of an array that is not laid out like the parameters and
  /// has `count` elements over all ranks.
  public init(
    _ name: String, array pointer: UnsafeMutablePointer<Float>, _ range: Range<Int>, of count: Int
  ) {
    self.name = name
    pieces = [Piece(elements: range, pointer: pointer)]
    arrayCount = count
  }

  /// `ranges` that lie end to end from `pointer` on, as an owner keeps optimizer moments.
  public init(_ name: String, packed pointer: UnsafeMutablePointer<Float>, ranges: [Range<Int>]) {
    self.name = name
    var start = 0
    pieces = ranges.map { range in
      defer { start += range.count }
      return Piece(elements: range, pointer: pointer + start)
    }
    arrayCount = nil
  }

  /// The same elements at another place in memory.
  init(_ slab: CheckpointSlab, at pieces: [Piece]) {
    name = slab.name
    arrayCount = slab.arrayCount
    self.pieces = pieces
  }

  var count: Int { pieces.reduce(0) { $0 + $1.elements.count } }
}

/// Everything a rank contributes to a checkpoint. All but the ranges of `slabs` is equal on all
/// ranks.
public struct CheckpointContent {
  /// Optimizer steps done; names the folder.
  public var step = 0
  public var epoch = 0
  public var samplesSeen = 0
  public var seed: UInt64 = 0
  public var virtualShards = 1
  public var configDigest = ""
  public var dataFingerprint = ""
  public var blasKernel = ""
  public var vitdistVersion = ""
  /// What is needed to build the model again, as text.
  public var model = ""
  /// Scalar state of the optimizer, schedule and objective, by name.
  public var state: [String: String] = [:]
  /// Figures by which the best checkpoint is kept, e.g. `validation.accuracy`.
  public var metrics: [String: Double] = [:]
  public var layout: ParameterLayout
  /// The ranges that this rank owns; over all ranks each slab is covered exactly once.
  public var slabs: [CheckpointSlab]

  public init(layout: ParameterLayout, slabs: [CheckpointSlab]) {
    self.layout = layout
    self.slabs = slabs
  }

  /// Of all ranks together, without headers and manifest.
  public var bytes: Int {
    slabs.reduce(0) { $0 + ($1.arrayCount ?? layout.count) } * MemoryLayout<Float>.stride
  }
}
