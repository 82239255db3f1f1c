import CLanes

/// Where a product goes, and what is added to it on its way there from the registers:
/// C = A B + bias + addend, of which the last two may be missing.
struct TileOutput {
  /// Rows of single precision, or of pairs of bfloat16 if it rounds.
  var pointer: UnsafeMutablePointer<Float>
  var stride: Int
  var rounds = false
  /// A number for every column.
  var bias: UnsafePointer<Float>?
  /// Rows in single precision; those of C itself if a product is added to it.
  var addend: UnsafePointer<Float>?
  var addendStride = 0

  /// C or, if `adding`, C + A B.
  init(
    _ c: Matrix, adding: Bool = false, bias: UnsafePointer<Float>? = nil,
    residual: UnsafePointer<Float>? = nil
  ) {
    (pointer, stride, self.bias) = (c.pointer, c.stride, bias)
    (addend, addendStride) = (residual, c.columns)
    if adding { addToItself() }
  }

  /// Rounded.
  init(_ c: PairMatrix, bias: UnsafePointer<Float>? = nil) {
    (pointer, stride, rounds, self.bias) = (c.pointer, c.stride, true, bias)
  }

  /// What another part of the inner index adds to the sum so far.
  var continued: TileOutput {
    var copy = self
    copy.bias = nil
    copy.addToItself()
    return copy
  }

  private mutating func addToItself() {
    precondition(!rounds, "a sum of rounded parts is none of a product")
    (addend, addendStride) = (UnsafePointer(pointer), stride)
  }

  /// The same from a row of C on.
  func from(_ row: Int) -> TileOutput {
    var copy = self
    copy.pointer += row * stride
    copy.addend = addend.map { $0 + row * addendStride }
    return copy
  }

  /// Has a row of a tile fetched into the cache.
  @inline(__always) func prefetch(_ row: Int, _ column: Int) {
    let start = pointer + (row * stride + (rounds ? column / 2 : column))
    clanes_prefetch_for_writing(start)
    if !rounds { clanes_prefetch_for_writing(start + 16) }
    guard let addend, addend != UnsafePointer(pointer) else { return }
    clanes_prefetch(addend + (row * addendStride + column))
    clanes_prefetch(addend + (row * addendStride + column + 16))
  }
}
