import Tensors
import Testing

/// Products of rounded operands, in every role and by both implementations, for ragged sizes, strides,
/// transposes and sums onto what is there.
@Suite struct BFloat16ProductTests {
  private let pool = BufferPool(poisonsReturned: true)

  struct Sizes: Sendable { let rows, columns, inner: Int }
  private static let sizes =
    raggedWidths.map { Sizes(rows: 33, columns: $0, inner: 17) }
    + raggedWidths.map { Sizes(rows: $0, columns: 49, inner: 33) }
    + raggedWidths.map { Sizes(rows: 49, columns: 17, inner: $0) }
    + [Sizes(rows: 300, columns: 40, inner: 1100), Sizes(rows: 600, columns: 70, inner: 50)]

  enum Kind: CaseIterable, Sendable {
    case library, tiles, rounded

    func products(_ pool: BufferPool) -> any MatrixProducts {
      switch self {
      case .library: BFloat16Products(from: pool, usesLibrary: true)
      case .tiles: BFloat16Products(from: pool, usesLibrary: false)
      case .rounded: RoundedProducts(from: pool)
      }
    }
  }

  /// A strided matrix of numbers in ±1 and what bfloat16 makes of them.
  private struct Operand {
    let samples: Samples
    let matrix: Matrix
    let rounded: [Double]

    init(_ rows: Int, _ columns: Int, slack: Int, seed: UInt64, _ pool: BufferPool) {
      let stride = columns + slack
      samples = Samples(rows * stride, seed: seed, from: pool)
      matrix = Matrix(samples.pointer, rows, columns, stride: stride)
      rounded = samples.values.map { Double(nearest($0)) }
    }

    subscript(row: Int, column: Int) -> Double { rounded[row * matrix.stride + column] }
  }

  /// Sums of exact products in single precision: the bound of `ProductTests`. Products of few rows
  /// are those of the numbers as they are: two operands off by half a unit of eight bits each.
  private func bound(_ inner: Int, rows: Int) -> Double {
    (rows < 32 ? 2.0 / 256 * Double(inner) : 0) + 1e-7 * Double(inner) + 1e-7
  }

  @Test(arguments: sizes, Kind.allCases)
  func productsOfActivations(_ size: Sizes, _ kind: Kind) {
    let (m, n, k) = (size.rows, size.columns, size.inner)
    for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
      for adding in [false, true] {
        let a = Operand(transposeA ? k : m, transposeA ? m : k, slack: 3, seed: 1, pool)
        let b = Operand(transposeB ? n : k, transposeB ? k : n, slack: 5, seed: 2, pool)
        let c = Samples(m * (n + 2), seed: 3, from: pool)
        let before = c.values
        kind.products(pool).multiply(
          a.matrix, transposed: transposeA, b.matrix, transposed: transposeB,
          into: Matrix(c.pointer, m, n, stride: n + 2), adding: adding)
        let expected = sum(before, m, n, n + 2, adding) { i, j in
          (0..<k).reduce(0) {
            $0 + (transposeA ? a[$1, i] : a[i, $1]) * (transposeB ? b[j, $1] : b[$1, j])
          }
        }
        let error = worst(c.values, expected)
        #expect(error < bound(k, rows: m), "\(size), \(transposeA), \(transposeB): \(error)")
        #expect(c.isGuardIntact)
      }
    }
  }

  @Test(arguments: sizes, Kind.allCases)
  func productsWithWeights(_ size: Sizes, _ kind: Kind) {
    let (tokens, outputs, inputs) = (size.rows, size.columns, size.inner)
    let x = Operand(tokens, inputs, slack: 0, seed: 1, pool)
    let weight = Operand(outputs, inputs, slack: 0, seed: 2, pool)
    let dy = Operand(tokens, outputs, slack: 0, seed: 3, pool)

    let y = Samples(tokens * outputs, seed: 4, from: pool)
    var expected = sum(y.values, tokens, outputs, outputs, true) { t, o in
      (0..<inputs).reduce(0) { $0 + x[t, $1] * weight[o, $1] }
    }
    kind.products(pool).forward(
      x.matrix, weight: weight.matrix, addingTo: Matrix(y.pointer, tokens, outputs))
    #expect(worst(y.values, expected) < bound(inputs, rows: tokens), "forward, \(size)")
    #expect(y.isGuardIntact)

    for adding in [false, true] {
      let dx = Samples(tokens * inputs, seed: 5, from: pool)
      expected = sum(dx.values, tokens, inputs, inputs, adding) { t, i in
        (0..<outputs).reduce(0) { $0 + dy[t, $1] * weight[$1, i] }
      }
      kind.products(pool).inputGradient(
        dy.matrix, weight: weight.matrix, into: Matrix(dx.pointer, tokens, inputs), adding: adding)
      #expect(worst(dx.values, expected) < bound(outputs, rows: tokens), "dx, \(size)")
      #expect(dx.isGuardIntact)
    }

    let dw = Samples(outputs * inputs, seed: 6, from: pool)
    expected = sum(dw.values, outputs, inputs, inputs, true) { o, i in
      (0..<tokens).reduce(0) { $0 + dy[$1, o] * x[$1, i] }
    }
    kind.products(pool).weightGradient(
      dy.matrix, x.matrix, addingTo: Matrix(dw.pointer, outputs, inputs))
    #expect(worst(dw.values, expected) < bound(tokens, rows: tokens), "dW, \(size)")
    #expect(dw.isGuardIntact)
  }

  private func sum(
    _ before: [Float], _ rows: Int, _ columns: Int, _ stride: Int, _ adding: Bool,
    _ product: (Int, Int) -> Double
  ) -> [Double] {
    var result = before.map { Double($0) }
    for i in 0..<rows {
      for j in 0..<columns {
        result[i * stride + j] = (adding ? result[i * stride + j] : 0) + product(i, j)
      }
    }
    return result
  }

  /// Ties go to the even neighbour; NaN and infinities stay what they are.
  @Test(arguments: Kind.allCases)
  func roundsToTheNearest(_ kind: Kind) {
    let values: [Float] = [
      1, 1 + 1.0 / 256, 1 + 3.0 / 256, 1 + 1.0 / 256 + 0x1p-20, -1 - 1.0 / 256, 3.3895314e38,
      .infinity, .nan,
    ]
    let count = 32
    let a = Tensor.zeros([count, 2], from: pool)
    let one = Tensor([1, 2], [1, 1], from: pool)
    for (i, value) in values.enumerated() { a.pointer[2 * i] = value }
    let c = Tensor([count, 1], from: pool)
    kind.products(pool).multiply(
      Matrix(a), transposed: false, Matrix(one), transposed: true, into: Matrix(c), adding: false)
    let expected: [Float] = [1, 1, 1 + 4.0 / 256, 1 + 2.0 / 256, -1, 3.3895314e38, .infinity, .nan]
    for (i, value) in expected.enumerated() {
      #expect(c.pointer[i] == value || (c.pointer[i].isNaN && value.isNaN), "\(values[i])")
    }
  }

  /// The same operands at other places of memory, and a product made again, give the same bits.
  @Test(arguments: [Kind.library, .tiles])
  func bitsDoNotDependOnTheAddress(_ kind: Kind) {
    let (x, weight) = (
      Samples(197 * 96, seed: 1, from: pool), Samples(64 * 96, seed: 2, from: pool)
    )
    let results = [0, 1, 3, 5, 16].map { shift -> [Float] in
      let moved = Tensor([197 * 96 + shift], from: pool)
      (moved.pointer + shift).update(from: x.pointer, count: 197 * 96)
      let y = Tensor.zeros([197, 64 + shift], from: pool)
      kind.products(pool).forward(
        Matrix(moved.pointer + shift, 197, 96), weight: Matrix(weight.pointer, 64, 96),
        addingTo: Matrix(y.pointer, 197, 64, stride: 64 + shift))
      return (0..<197 * 64).map { y.pointer[$0 / 64 * (64 + shift) + $0 % 64] }
    }
    for result in results { #expect(result == results[0]) }
  }
}

/// `x` with eight bits of significand, ties to even.
private func nearest(_ x: Float) -> Float {
  let bits = x.bitPattern
  return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}
