import Testing
import Training

@Suite struct LossSpikesTests {
  /// Losses that fall, with a fixed pattern on them.
  private func loss(_ step: Int) -> Double {
    2.0 - 0.002 * Double(step) + 0.01 * Double(step * 7 % 5 - 2)
  }

  private func spikes(_ options: LossSpikeOptions, _ losses: [Double]) -> [Int] {
    var spikes = LossSpikes(options)
    return losses.indices.filter { spikes.score(losses[$0]) != nil }
  }

  @Test func aSpikeIsFoundAndOnlyIt() {
    var losses = (0..<200).map(loss)
    losses[120] += 1
    losses[150] -= 1
    #expect(spikes(LossSpikeOptions(), losses) == [120])
    losses[121] = .nan
    #expect(spikes(LossSpikeOptions(), losses) == [120])
  }

  @Test func nothingIsSaidTooEarlyOrOfEqualLosses() {
    var losses = (0..<20).map(loss)
    losses[19] = 100
    #expect(spikes(LossSpikeOptions(), losses).isEmpty)
    #expect(spikes(LossSpikeOptions(), Array(repeating: 1, count: 150) + [2]).isEmpty)
  }

  @Test func theWindowCanBeClosed() {
    var options = LossSpikeOptions()
    options.window = 0
    #expect(spikes(options, (0..<99).map(loss) + [100]).isEmpty)
  }
}
