import CLanes

/// The K largest numbers of a row, exactly and without a sort: largest first, the lowest index among
/// equals.
///
/// Numbers that are not negative are ordered like their bits. So the K-th largest is found by
/// bisecting between the bits of the least and the greatest, counting lanes; most rows are cut after
/// some ten rounds, before the bits are resolved.
package enum TopK {
  /// What is kept of a row: every number whose bits are above `threshold`, and those equal to it
  /// before index `end`.
  package struct Selection: Equatable {
    package let threshold: Int32
    package let end: Int32

    package init(threshold: Int32, end: Int32) {
      self.threshold = threshold
      self.end = end
    }

    /// Keeps every number.
    package static let everything = Selection(threshold: -1, end: 0)

    package func keeps(_ value: Float, at index: Int) -> Bool {
      let bits = Int32(bitPattern: value.bitPattern)
      return bits > threshold || (bits == threshold && index < end)
    }
  }

  /// - Parameters:
  ///   - row: numbers of at least 0 (a softmax's); if there is a NaN the choice has no meaning.
  ///   - k: how many to keep, 1 ..< width.
  package static func select(_ row: UnsafePointer<Float>, width: Int, k: Int) -> Selection {
    var (low, high) = range(row, width)
    while low < high {
      let middle = low &+ (high &- low &+ 1) / 2
      let count = count(row, width, atLeast: middle)
      if count == k { return Selection(threshold: middle &- 1, end: 0) }
      if count > k { low = middle } else { high = middle &- 1 }
    }
    // More than k are at least `low`, fewer above it: some of the equal ones are left out.
    let left = k - count(row, width, atLeast: low &+ 1)
    return Selection(threshold: low, end: Int32(truncatingIfNeeded: end(row, width, low, left)))
  }

  /// Index after the `count`-th number whose bits are `bits`.
  private static func end(
    _ row: UnsafePointer<Float>, _ width: Int, _ bits: Int32, _ count: Int
  ) -> Int {
    var index = 0
    var left = count
    while left > 0, index < width {
      if Int32(bitPattern: row[index].bitPattern) == bits { left -= 1 }
      index += 1
    }
    return index
  }

  /// Bits of the least and of the greatest number.
  private static func range(_ row: UnsafePointer<Float>, _ width: Int) -> (Int32, Int32) {
    let whole = width & ~15
    var least = SIMD16<Int32>(repeating: .max)
    var greatest = SIMD16<Int32>(repeating: 0)
    var index = 0
    while index < whole {
      let x = bits(row.lanes(index))
      least.replace(with: x, where: x .< least)
      greatest.replace(with: x, where: x .> greatest)
      index += 16
    }
    if whole < width {
      let low = bits(row.lanes(index, first: width - whole, filler: .infinity))
      let high = bits(row.lanes(index, first: width - whole))
      least.replace(with: low, where: low .< least)
      greatest.replace(with: high, where: high .> greatest)
    }
    // What is negative, were there such, would be below all that is looked for.
    return (max(0, least.least), greatest.greatest)
  }

  /// How many numbers have at least these bits, of which none are negative. The bits of a comparison
  /// are counted at half the cost of adding lanes up.
  private static func count(
    _ row: UnsafePointer<Float>, _ width: Int, atLeast threshold: Int32
  ) -> Int {
    let whole = width & ~15
    var count = 0
    var index = 0
    while index < whole {
      count &+= clanes_bits_at_least(row.lanes(index), threshold).nonzeroBitCount
      index += 16
    }
    if whole < width {
      // A negative filler has bits below every threshold.
      let x = row.lanes(index, first: width - whole, filler: -1)
      count &+= clanes_bits_at_least(x, threshold).nonzeroBitCount
    }
    return count
  }

  @inline(__always) static func bits(_ x: Lanes) -> SIMD16<Int32> {
    unsafeBitCast(x, to: SIMD16<Int32>.self)
  }

  /// Lanes `index ..< index + 16` of the row that are not kept.
  @inline(__always) static func dropped(
    _ x: Lanes, at index: Int, _ selection: Selection
  ) -> SIMDMask<SIMD16<Int32>> {
    let x = bits(x)
    let places =
      SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
      &+ SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: index))
    let isBelow = x .< SIMD16<Int32>(repeating: selection.threshold)
    let isEqual = x .== SIMD16<Int32>(repeating: selection.threshold)
    return isBelow .| (isEqual .& (places .>= SIMD16<Int32>(repeating: selection.end)))
  }
}

/// Sums over rows, of which the K largest numbers are kept.
package enum RowTail {
  /// Sums over one row.
  package struct Sums: Equatable {
    /// Σ w and Σ w² over what is not kept.
    package var tail: Float = 0
    package var residual: Float = 0
    /// Σ w and Σ w² over the whole row.
    package var mass: Float = 0
    package var energy: Float = 0
  }

  package static func sums(
    _ row: UnsafePointer<Float>, width: Int, _ selection: TopK.Selection
  ) -> Sums {
    let whole = width & ~15
    var (tail, residual, mass, energy) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    @inline(__always) func add(_ x: Lanes, _ index: Int) {
      let rest = Lanes.zero.replacing(with: x, where: TopK.dropped(x, at: index, selection))
      tail += rest
      residual.addProduct(rest, rest)
      mass += x
      energy.addProduct(x, x)
    }
    var index = 0
    while index < whole {
      add(row.lanes(index), index)
      index += 16
    }
    if whole < width { add(row.lanes(index, first: width - whole), index) }
    return Sums(
      tail: tail.total, residual: residual.total, mass: mass.total, energy: energy.total)
  }

  /// gradient += factor · w on what is not kept.
  package static func addDropped(
    _ row: UnsafePointer<Float>, width: Int, _ selection: TopK.Selection, times factor: Float,
    to gradient: UnsafeMutablePointer<Float>
  ) {
    let scale = Lanes(repeating: factor)
    forEachLanes(width) { index, n in
      let x = row.lanes(index, first: n)
      let rest = Lanes.zero.replacing(with: x, where: TopK.dropped(x, at: index, selection))
      let sum = gradient.lanes(index, first: n).addingProduct(rest, scale)
      gradient.store(sum, index, first: n)
    }
  }

  /// result ← factor · x on what `row` keeps, 0 elsewhere; `result` may be `x`.
  package static func keep(
    _ row: UnsafePointer<Float>, width: Int, _ selection: TopK.Selection,
    of x: UnsafePointer<Float>, times factor: Float, into result: UnsafeMutablePointer<Float>
  ) {
    let scale = Lanes(repeating: factor)
    forEachLanes(width) { index, n in
      let isDropped = TopK.dropped(row.lanes(index, first: n), at: index, selection)
      let value = x.lanes(index, first: n) * scale
      result.store(value.replacing(with: Lanes.zero, where: isDropped), index, first: n)
    }
  }
}
