import Tensors
import Testing

/// All ways a product in single precision may go, OpenBLAS and the project's own tiles, for ragged
/// sizes, strides, transposes and sums onto what is there.
@Suite struct ProductTests {
  private let pool = BufferPool(poisonsReturned: true)
  private let products = OpenBLASProducts()

  enum Kind: CaseIterable, Sendable {
    case library, tiles

    func products(_ pool: BufferPool) -> any MatrixProducts {
      self == .library ? OpenBLASProducts() : TiledProducts(from: pool)
    }
  }

  struct Sizes: Sendable { let rows, columns, inner: Int }
  private static let sizes =
    raggedWidths.map { Sizes(rows: 33, columns: $0, inner: 17) }
    + raggedWidths.map { Sizes(rows: $0, columns: 49, inner: 33) }
    + raggedWidths.map { Sizes(rows: 49, columns: 17, inner: $0) }
    + [Sizes(rows: 49, columns: 49, inner: 32), Sizes(rows: 300, columns: 20, inner: 300)]

  /// Roundings of partial sums of some √inner / 3 add up like a walk of `inner` steps: a deviation
  /// of inner · 2e-8, five of which are allowed for the largest of thousands.
  @Test(arguments: sizes, Kind.allCases)
  func agreesWithDoublePrecision(_ size: Sizes, _ kind: Kind) {
    for adding in [false, true] { check(size, kind.products(pool), adding: adding) }
  }

  private func check(_ size: Sizes, _ products: any MatrixProducts, adding: Bool) {
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

  /// y = residual + x Wᵀ + bias, its parts present or missing, and its three gradients; the batch of
  /// 1,000 is more than one block of the inner index.
  @Test(
    arguments: [
      Sizes(rows: 1000, columns: 70, inner: 33), Sizes(rows: 131, columns: 17, inner: 800),
      Sizes(rows: 37, columns: 100, inner: 64), Sizes(rows: 5, columns: 10, inner: 12),
    ], Kind.allCases)
  func linearMapsAndTheirGradients(_ size: Sizes, _ kind: Kind) {
    let (rows, outputs, inputs) = (size.rows, size.columns, size.inner)
    let x = Samples(rows * inputs, seed: 1, from: pool)
    let w = Samples(outputs * inputs, seed: 2, from: pool)
    let bias = Samples(outputs, seed: 3, from: pool)
    let residual = Samples(rows * outputs, seed: 4, from: pool)
    let (xs, ws, bs, rs) = (x.values, w.values, bias.values, residual.values)
    func product(_ i: Int, _ j: Int) -> Double {
      (0..<inputs).reduce(0) { $0 + Double(xs[i * inputs + $1]) * Double(ws[j * inputs + $1]) }
    }
    let products = kind.products(pool)
    let weight = Matrix(w.pointer, outputs, inputs)
    for (hasBias, hasResidual) in [(false, false), (true, false), (false, true), (true, true)] {
      let y = Samples(rows * outputs, seed: 5, from: pool)
      _ = products.linear(
        Matrix(x.pointer, rows, inputs), weight: weight, bias: hasBias ? bias.pointer : nil,
        residual: hasResidual ? residual.pointer : nil, into: Matrix(y.pointer, rows, outputs),
        keepsInput: false)
      let expected = (0..<rows * outputs).map { index in
        product(index / outputs, index % outputs)
          + (hasBias ? Double(bs[index % outputs]) : 0) + (hasResidual ? Double(rs[index]) : 0)
      }
      let error = worst(y.values, expected)
      #expect(error < 1e-7 * Double(inputs + 2), "\(size), \(hasBias), \(hasResidual): \(error)")
      #expect(y.isGuardIntact)
    }

    let (dx, dw) = (
      Samples(rows * inputs, seed: 6, from: pool), Samples(outputs * inputs, seed: 7, from: pool)
    )
    let (dxs, dws) = (dx.values, dw.values)
    var gradients = LinearGradients()
    gradients.input = (Matrix(dx.pointer, rows, inputs), true)
    gradients.weight = Matrix(dw.pointer, outputs, inputs)
    products.linearGradients(
      Matrix(residual.pointer, rows, outputs), .matrix(Matrix(x.pointer, rows, inputs)),
      weight: weight, into: gradients)
    let expectedInput = (0..<rows * inputs).map { index in
      (0..<outputs).reduce(Double(dxs[index])) {
        $0 + Double(rs[index / inputs * outputs + $1]) * Double(ws[$1 * inputs + index % inputs])
      }
    }
    let expectedWeight = (0..<outputs * inputs).map { index in
      (0..<rows).reduce(Double(dws[index])) {
        $0 + Double(rs[$1 * outputs + index / inputs]) * Double(xs[$1 * inputs + index % inputs])
      }
    }
    #expect(worst(dx.values, expectedInput) < 1e-7 * Double(outputs + 1), "dx, \(size)")
    #expect(worst(dw.values, expectedWeight) < 1e-7 * Double(rows + 1), "dW, \(size)")
    #expect(dx.isGuardIntact && dw.isGuardIntact)
  }

  /// A row of a linear map in tiles does not depend on the others, nor on where it lies among them.
  @Test func rowsOfALinearMapStandAlone() {
    let x = Samples(300 * 70, seed: 1, from: pool)
    let w = Samples(45 * 70, seed: 2, from: pool)
    func rows(_ range: Range<Int>) -> [Float] {
      let y = Samples(range.count * 45, seed: 3, from: pool)
      _ = TiledProducts(from: pool).linear(
        Matrix(x.pointer + range.lowerBound * 70, range.count, 70),
        weight: Matrix(w.pointer, 45, 70), bias: nil, residual: nil,
        into: Matrix(y.pointer, range.count, 45), keepsInput: false)
      return y.values
    }
    let all = rows(0..<300)
    for range in [0..<33, 5..<260, 100..<228, 203..<300] {
      #expect(rows(range) == Array(all[(range.lowerBound * 45)..<(range.upperBound * 45)]))
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
