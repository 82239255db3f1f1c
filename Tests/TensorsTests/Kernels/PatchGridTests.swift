import Tensors
import Testing

@Suite struct PatchGridTests {
  private let pool = BufferPool()
  private static let grids = [
    PatchGrid(channels: 3, side: 8, patch: 4), PatchGrid(channels: 1, side: 28, patch: 4),
    PatchGrid(channels: 3, side: 32, patch: 16), PatchGrid(channels: 2, side: 6, patch: 1),
    PatchGrid(channels: 3, side: 21, patch: 7),
  ]

  private func deviation(_ grid: PatchGrid) -> [Float] {
    (0..<grid.channels).map { 0.25 * Float($0 + 1) }
  }

  @Test(arguments: grids) func cutPlacesEveryPixel(grid: PatchGrid) {
    let pixels = grid.channels * grid.side * grid.side
    let images = Samples(2 * pixels, seed: 1, from: pool)
    let rows = Samples(2 * pixels, seed: 2, from: pool)
    let mean = (0..<grid.channels).map { 0.1 * Float($0) }
    grid.cut(
      images.pointer, count: 2, mean: mean, deviation: deviation(grid), into: rows.pointer)
    #expect(grid.patches * grid.width == pixels)
    let p = grid.patch
    var expected = Array(repeating: 0.0, count: 2 * pixels)
    for i in expected.indices {
      let (patch, place) = (i / grid.width, i % grid.width)
      let (image, number) = (patch / grid.patches, patch % grid.patches)
      let (channel, y, x) = (place / (p * p), place / p % p, place % p)
      let row = number / grid.grid * p + y
      let column = number % grid.grid * p + x
      let pixel = ((image * grid.channels + channel) * grid.side + row) * grid.side + column
      expected[i] =
        (Double(images.values[pixel]) - Double(mean[channel])) / (0.25 * Double(channel + 1))
    }
    // Values up to 5, two roundings.
    #expect(worst(rows.values, expected) < 1e-6)
    #expect(rows.isGuardIntact)
  }

  /// ⟨cut x, r⟩ = ⟨x, assemble r⟩ for a mean of zero: one is the other's transpose.
  @Test(arguments: grids) func assembleIsTheAdjointOfCut(grid: PatchGrid) {
    let count = 3 * grid.channels * grid.side * grid.side
    let x = Samples(count, seed: 1, from: pool)
    let r = Samples(count, seed: 2, from: pool)
    let (cut, assembled) = (
      Samples(count, seed: 3, from: pool), Samples(count, seed: 4, from: pool)
    )
    let mean = Array(repeating: Float(0), count: grid.channels)
    grid.cut(x.pointer, count: 3, mean: mean, deviation: deviation(grid), into: cut.pointer)
    grid.assemble(r.pointer, count: 3, deviation: deviation(grid), into: assembled.pointer)
    func dot(_ a: Samples, _ b: Samples) -> Double {
      zip(a.values, b.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let (left, right) = (dot(cut, r), dot(x, assembled))
    // Both sums have the same terms up to one rounding each.
    let size = zip(cut.values, r.values).reduce(0) { $0 + abs(Double($1.0) * Double($1.1)) }
    #expect(abs(left - right) < 2e-7 * size, "\(left) against \(right)")
    #expect(assembled.isGuardIntact)
  }
}
