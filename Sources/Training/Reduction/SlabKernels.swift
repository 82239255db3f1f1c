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
  static func fold(
    _ current: Pointer, terms: UnsafeBufferPointer<Pointer>, into target: Pointer, count: Int
  ) {
    let from = vectors(current)
    let to = vectors(target)
    let clear = current != target
    var i = 0
    while i < count / 16 {
      var a = from[i]
      var b = from[i + 1]
      var c = from[i + 2]
      var d = from[i + 3]
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
  }

  /// target = a + b; the target may be either.
  static func add(_ a: Pointer, _ b: Pointer, into target: Pointer, count: Int) {
    let a = vectors(a)
    let b = vectors(b)
    let target = vectors(target)
    for i in 0..<count / 16 { target[i] = a[i] + b[i] }
  }
}
