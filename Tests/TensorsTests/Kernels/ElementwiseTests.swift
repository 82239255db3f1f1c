import Tensors
import Testing

/// One rounding an element, and for sums one an addend: values stay below 1, sums of five rows below 5.
@Suite struct ElementwiseTests {
  private let pool = BufferPool()
  private let rows = 5

  @Test(arguments: raggedWidths) func sumsAndScalings(width: Int) {
    let x = Samples(width, seed: 1, from: pool)
    let z = Samples(width, seed: 2, from: pool)
    func check(_ expected: (Double, Double) -> Double, _ run: (Samples) -> Void) {
      let y = Samples(width, seed: 3, from: pool)
      let before = y.values
      run(y)
      let want = zip(x.values, before).map { expected(Double($0), Double($1)) }
      #expect(worst(y.values, want) < 2e-7)
      #expect(y.isGuardIntact)
    }
    check({ $0 + $1 }) { Elementwise.add(x.pointer, to: $0.pointer, count: width) }
    check({ 0.25 * $0 + $1 }) {
      Elementwise.add(x.pointer, times: 0.25, to: $0.pointer, count: width)
    }
    check({ x, _ in 0.75 * x }) {
      Elementwise.scale(x.pointer, by: 0.75, into: $0.pointer, count: width)
    }
    let y = Samples(width, seed: 4, from: pool)
    Elementwise.add(x.pointer, z.pointer, times: 0.5, into: y.pointer, count: width)
    let want = zip(x.values, z.values).map { Double($0) + 0.5 * Double($1) }
    #expect(worst(y.values, want) < 2e-7)
    #expect(y.isGuardIntact)
  }

  @Test(arguments: raggedWidths) func rowsAndColumns(width: Int) {
    let x = Samples(rows * width, seed: 1, from: pool)
    let row = Samples(width, seed: 2, from: pool)
    let y = Samples(rows * width, seed: 3, from: pool)
    Elementwise.fill(rows: rows, width: width, with: row.pointer, into: y.pointer)
    #expect((0..<rows * width).allSatisfy { y.pointer[$0] == row.pointer[$0 % width] })
    Elementwise.add(row.pointer, toRowsOf: x.pointer, rows: rows, width: width, into: y.pointer)
    #expect(
      (0..<rows * width).allSatisfy { y.pointer[$0] == x.pointer[$0] + row.pointer[$0 % width] })
    #expect(y.isGuardIntact)

    let expected = (0..<width).map { column in
      (0..<rows).reduce(Double(row.values[column])) { $0 + Double(x.values[$1 * width + column]) }
    }
    Elementwise.addColumnSums(x.pointer, rows: rows, width: width, to: row.pointer)
    #expect(worst(row.values, expected) < 2e-6)
    #expect(row.isGuardIntact)
  }

  @Test(arguments: raggedWidths) func sumsOfAllAndFiniteness(width: Int) {
    let x = Samples(width, seed: 1, from: pool)
    let exact = x.values.reduce(0.0) { $0 + Double($1) }
    #expect(abs(Double(Elementwise.sum(x.pointer, count: width)) - exact) < 1e-5)
    #expect(Elementwise.isFinite(x.pointer, count: width))
    for bad in [Float.nan, .infinity, -.infinity] {
      for place in Set([0, width / 2, width - 1]) {
        let y = Samples(width, seed: 1, from: pool)
        y.pointer[place] = bad
        #expect(!Elementwise.isFinite(y.pointer, count: width), "\(bad) at \(place)")
      }
    }
  }
}
