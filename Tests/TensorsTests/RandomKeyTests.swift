import Tensors
import Testing

/// Golden values of the standard SplitMix64 and of the project's key scheme.
@Suite struct RandomKeyTests {
  @Test func keysGiveTheDocumentedStreams() {
    let key = RandomKey(seed: 42, .crop, epoch: 3, sample: 7)
    let expected = [
      0.8065065986117985, 0.9929219183128738, 0.9889379197144691, 0.13830128197735247,
    ]
    for (index, value) in expected.enumerated() { #expect(key.uniform(index) == value) }
    #expect(RandomKey(seed: 42, .flip, epoch: 3, sample: 7).uniform() == 0.7532766993617055)
    let layer = RandomKey(seed: 42, .randAugment, epoch: 3, sample: 7)
    #expect(layer.uniform(1) == 0.2814471833351069)
    #expect(layer.below(15, 0) == 8)
    let path = RandomKey(seed: 42, .dropPath, epoch: 100, sample: 7, step: 2 * 11 + 1)
    #expect(path.uniform() == 0.5923399059836235)
  }

  @Test func betaFollowsItsMoments() {
    #expect(
      RandomKey(seed: 42, .mixing, epoch: 3, sample: 5).beta(0.8, from: 4) == 0.5294615754711062)
    let draws = (0..<20_000).map { RandomKey(seed: 42, .mixing, sample: $0).beta(0.8, from: 4) }
    let mean = draws.reduce(0, +) / Double(draws.count)
    let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(draws.count)
    // Standard errors at 20,000 draws: 0.0022 and 0.0006; four of them are allowed.
    #expect(abs(mean - 0.5) < 0.009)
    #expect(abs(variance - 0.09615) < 0.0025)
  }
}
