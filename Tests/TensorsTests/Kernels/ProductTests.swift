import Tensors
import Testing

/// Both ways a product of activations may go, OpenBLAS and the project's own small product, for
/// ragged sizes, strides, transposes and sums onto what is there.
@Suite struct ProductTests {
  private let pool = BufferPool()
  private let products = OpenBLASProducts()

  struct Sizes: Sendable { let rows, columns, inner: Int }
  private static let sizes =
    raggedWidths.map { Sizes(rows: 33, columns: $0, inner: 17) }
    + raggedWidths.map { Sizes(rows: $0, columns: 49, inner: 33) }
    + raggedWidths.map { Sizes(rows: 49, columns: 17, inner: $0) }
    + [Sizes(rows: 49, columns: 49, inner: 32), Sizes(rows: 300, columns: 20, inner: 300)]

  /// Roundings of partial sums of some √inner / 3 add up like a walk of `inner` steps: a deviation
  /// of inner · 2e-8, five of which are allowed for the largest of thousands.
  @Test(arguments: sizes, [false, true])
  func agreesWithDoublePrecision(_ size: Sizes, adding: Bool) {
    let (m, n, k) = (size.rows, size.columns, size.inner)
    for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
      let (aRows, aColumns) = transposeA ? (k, m) : (m, k)
      let (bRows, bColumns) = transposeB ? (n, k) : (k, n)
      let a = Samples(aRows * (aColumns + 3), seed: 1, from: pool)
      let b = Samples(bRows * (bColumns + 5), seed: 2, from: pool)
      let c = Samples(m * (n + 2), seed: 3, from: pool)
      let (aValues, bValues, before) = (a.values, b.values, c.values)
      products.multiply(
        Matrix(a.pointer, aRows, aColumns, stride: aColumns + 3), transposed: transposeA,
        Matrix(b.pointer, bRows, bColumns, stride: bColumns + 5), transposed: transposeB,
        into: Matrix(c.pointer, m, n, stride: n + 2), adding: adding)
      var expected = before.map { Double($0) }
      for i in 0..<m {
        for j in 0..<n {
          var sum = adding ? expected[i * (n + 2) + j] : 0
          for l in 0..<k {
            let x = aValues[transposeA ? l * (aColumns + 3) + i : i * (aColumns + 3) + l]
            let y = bValues[transposeB ? j * (bColumns + 5) + l : l * (bColumns + 5) + j]
            sum += Double(x) * Double(y)
          }
          expected[i * (n + 2) + j] = sum
        }
      }
      let bound = 1e-7 * Double(k) + 1e-7
      let error = worst(c.values, expected)
      #expect(error < bound, "\(size), \(transposeA), \(transposeB): \(error)")
      #expect(c.isGuardIntact)
    }
  }

  /// NaN in one row of A reaches that row of C and no other.
  @Test func aNaNStaysInItsRow() {
    let a = Samples(49 * 32, seed: 1, from: pool)
    let b = Samples(32 * 49, seed: 2, from: pool)
    let c = Samples(49 * 49, seed: 3, from: pool)
    a.pointer[48 * 32] = .nan
    products.multiply(
      Matrix(a.pointer, 49, 32), transposed: false, Matrix(b.pointer, 49, 32), transposed: true,
      into: Matrix(c.pointer, 49, 49), adding: false)
    for (i, value) in c.values.enumerated() { #expect(value.isNaN == (i / 49 == 48)) }
  }

  /// A row of a small product does not depend on how many rows there are.
  @Test func rowsDoNotDependOnEachOther() {
    let a = Samples(65 * 32, seed: 1, from: pool)
    let b = Samples(65 * 32, seed: 2, from: pool)
    func rows(_ count: Int) -> [Float] {
      let c = Samples(count * 65, seed: 3, from: pool)
      products.multiply(
        Matrix(a.pointer, count, 32), transposed: false, Matrix(b.pointer, 65, 32),
        transposed: true, into: Matrix(c.pointer, count, 65), adding: false)
      return c.values
    }
    let all = rows(65)
    for count in [33, 36, 37, 40, 64] { #expect(rows(count) == Array(all[..<(count * 65)])) }
  }
}
