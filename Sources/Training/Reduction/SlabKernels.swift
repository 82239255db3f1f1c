/// Additions over whole blocks of slabs: 64-byte aligned, counts a multiple of 64 elements.
/// All are bound by memory; each makes one pass over what it reads and writes.
enum SlabKernels {
  typealias Pointer = UnsafeMutablePointer<Float>
  private typealias Vectors = UnsafeMutablePointer<SIMD16<Float>>

  private static func vectors(_ pointer: Pointer) -> Vectors {
    UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: SIMD16<Float>.self)
  }

  /// target = terms[n-1] + (... + (terms[0] + current)), the additions of a chain of finished
  /// subtrees; `current` is zero afterwards unless it is the target. `target` may be a term.
  ///
  /// - Returns: whether `current` was finite. Its bits pass through anyway, so asking costs nothing
  ///   that memory does not hide.
  static func fold(
    _ current: Pointer, terms: UnsafeBufferPointer<Pointer>, into target: Pointer, count: Int
  ) -> Bool {
    let from = vectors(current)
    let to = vectors(target)
    let clear = current != target
    var exponents = SIMD16<UInt32>.zero
    var i = 0
    while i < count / 16 {
      var a = from[i]
      var b = from[i + 1]
      exponents = largerExponents(exponents, a, b)
      var c = from[i + 2]
      var d = from[i + 3]
      exponents = largerExponents(exponents, c, d)
      for term in terms {
        let term = vectors(term)
        a += term[i]
        b += term[i + 1]
        c += term[i + 2]
        d += term[i + 3]
      }
      if clear {
        from[i] = .zero
        from[i + 1] = .zero
        from[i + 2] = .zero
        from[i + 3] = .zero
      }
      to[i] = a
      to[i + 1] = b
      to[i + 2] = c
      to[i + 3] = d
      i += 4
    }
    return exponents.max() < infinity
  }

  /// Bits of the exponent, all set in an infinity and in what is not a number.
  private static let infinity = Float.infinity.bitPattern

  @inline(__always)
  private static func largerExponents(
    _ found: SIMD16<UInt32>, _ a: SIMD16<Float>, _ b: SIMD16<Float>
  ) -> SIMD16<UInt32> {
    let mask = SIMD16<UInt32>(repeating: infinity)
    let more = unsafeBitCast(a, to: SIMD16<UInt32>.self) & mask
    let most = unsafeBitCast(b, to: SIMD16<UInt32>.self) & mask
    return pointwiseMax(found, pointwiseMax(more, most))
  }

  /// Whether all elements are finite.
  static func isFinite(_ values: UnsafePointer<Float>, count: Int) -> Bool {
    (0..<count).allSatisfy { values[$0].isFinite }
  }

  /// target = a + b; the target may be either.
  static func add(_ a: Pointer, _ b: Pointer, into target: Pointer, count: Int) {
    let a = vectors(a)
    let b = vectors(b)
    let target = vectors(target)
    for i in 0..<count / 16 { target[i] = a[i] + b[i] }
  }
}
