import Autograd

/// The part of the slab that a rank updates, cut into slices, and where its state lies.
///
/// Owned ranges are whole blocks of the layout. States are compact: the owned ranges end to end, so
/// a rank holds moments for its own part only (ZeRO-1, Rajbhandari et al. 2020). A slice lies in one
/// parameter and one block; the slices of the whole slab are numbered once for all ranks, and every
/// sum over a parameter is the sum of its slices in that order. Gaps between parameters are not
/// touched.
public struct Ownership: Sendable, Equatable {
  public struct Slice: Sendable, Equatable {
    /// Number among the slices of the whole slab.
    public let number: Int
    /// Index of the parameter in the layout.
    public let parameter: Int
    /// First element in slabs of the whole layout.
    public let start: Int
    /// First element in a compact state slab.
    public let stateStart: Int
    public let count: Int
    /// Whether weight decay applies.
    public let decays: Bool
  }

  /// Ascending, disjoint element ranges; bounds are multiples of `ParameterLayout.blockSize`.
  public let ranges: [Range<Int>]
  /// The owned slices, ascending.
  public let slices: [Slice]
  /// For each slice of the whole slab, its parameter.
  public let parameterOfSlice: [Int]
  public let parameterCount: Int

  /// Floats in a compact state slab.
  public var stateCount: Int { ranges.reduce(0) { $0 + $1.count } }

  /// - Parameters:
  ///   - ranges: ascending and disjoint, in whole blocks; the whole slab if not given.
  ///   - role: of the parameters whose slices are listed.
  ///   - groups: which parameters decay or stay as they are.
  public init(
    of layout: ParameterLayout, ranges: [Range<Int>]? = nil, role: ParameterRole = .weight,
    groups: DecayGroups = DecayGroups()
  ) {
    let ranges = ranges ?? [0..<layout.count]
    for (index, range) in ranges.enumerated() {
      precondition(
        range.lowerBound % ParameterLayout.blockSize == 0
          && range.upperBound % ParameterLayout.blockSize == 0 && range.upperBound <= layout.count
          && (index == 0 || ranges[index - 1].upperBound <= range.lowerBound),
        "owned range \(range) is not in whole blocks or not in order")
    }
    var slices: [Slice] = []
    var parameterOfSlice: [Int] = []
    var current = 0
    var statesBefore = 0
    for (index, entry) in layout.entries.enumerated() {
      let membership = groups.membership(of: entry)
      for part in Self.cut(entry.range) {
        while current < ranges.count, ranges[current].upperBound <= part.lowerBound {
          statesBefore += ranges[current].count
          current += 1
        }
        if entry.role == role, membership != .frozen, current < ranges.count,
          ranges[current].contains(part.lowerBound)
        {
          slices.append(
            Slice(
              number: parameterOfSlice.count, parameter: index, start: part.lowerBound,
              stateStart: statesBefore + part.lowerBound - ranges[current].lowerBound,
              count: part.count, decays: membership == .decayed))
        }
        parameterOfSlice.append(index)
      }
    }
    self.ranges = ranges
    self.slices = slices
    self.parameterOfSlice = parameterOfSlice
    self.parameterCount = layout.entries.count
  }

  /// Copies the owned part of a slab of the whole layout into a compact one.
  public func gather(_ whole: UnsafePointer<Float>, into compact: UnsafeMutablePointer<Float>) {
    var start = 0
    for range in ranges {
      (compact + start).update(from: whole + range.lowerBound, count: range.count)
      start += range.count
    }
  }

  /// Copies a compact slab to its places in one of the whole layout.
  public func scatter(_ compact: UnsafePointer<Float>, into whole: UnsafeMutablePointer<Float>) {
    var start = 0
    for range in ranges {
      (whole + range.lowerBound).update(from: compact + start, count: range.count)
      start += range.count
    }
  }

  /// The range cut at block boundaries.
  private static func cut(_ range: Range<Int>) -> [Range<Int>] {
    let size = ParameterLayout.blockSize
    guard !range.isEmpty else { return [] }
    return (range.lowerBound / size...(range.upperBound - 1) / size).map {
      range.clamped(to: $0 * size..<($0 + 1) * size)
    }
  }
}
