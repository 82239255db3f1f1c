import Autograd
import Networks
import Tensors
import TestSupport
import Testing

/// Attention cut to its K largest entries, as a model of its own.
@Suite struct SparseAttentionTests {
  private let model = SmallModel()

  private func run(
    _ network: Network, _ taps: Taps? = nil
  ) -> [Float] {
    let cx = model.context(taps: taps)
    return network.model(Variable(model.images(3)), cx).prediction(cx).tensor.array
  }

  /// Nothing is cut where K is the row: the same sums, in products of other sizes.
  @Test func theWholeRowChangesNothing() {
    let whole = run(model.network.keepingAttention(17, renormalizing: false))
    #expect(relativeDistance(whole, run(model.network)) < 1e-5)
  }

  @Test(arguments: [(4.0, false), (0.25, true), (1, true)])
  func rowsKeepTheirLargestOnly(_ k: Double, _ renormalizing: Bool) throws {
    let sparse = model.network.keepingAttention(k, renormalizing: renormalizing)
    let names = sparse.model.attentions.map(\.name)
    let (before, after) = (Taps(names), Taps(names))
    _ = run(model.network, before)
    let logits = run(sparse, after)
    #expect(relativeDistance(logits, run(model.network)) > 1e-4)
    let count = k < 1 ? 4 : Int(k)
    // The first layer sees the same tokens in both.
    let (a, b) = (
      try #require(before.values[names[0]]).tensor, try #require(after.values[names[0]]).tensor
    )
    for row in 0..<a.shape.rows {
      let (full, cut) = (
        Array(a.elements[row * 17..<row * 17 + 17]),
        Array(b.elements[row * 17..<row * 17 + 17])
      )
      let kept = cut.indices.filter { cut[$0] != 0 }
      #expect(kept.count == count)
      let least = kept.map { full[$0] }.min() ?? 0
      #expect(full.indices.allSatisfy { kept.contains($0) || full[$0] <= least })
      #expect(isClose(cut.reduce(0, +), renormalizing ? 1 : cut.reduce(0, +), absolute: 1e-5))
    }
  }

  /// An attack on it needs a gradient through what is kept.
  @Test func itDifferentiates() {
    let sparse = model.network.keepingAttention(4, renormalizing: true)
    let tape = Tape(.inputs, pool: model.pool)
    let cx = model.context(tape: tape)
    let images = tape.watch(model.images(2))
    let scores = sparse.model(images, cx).classes
    let targets = Tensor.zeros(scores.shape, from: model.pool)
    for row in 0..<2 { targets.pointer[row * 10] = 1 }
    tape.backward(from: cx.crossEntropy(scores, targets: targets, weight: 1))
    #expect(tape.gradient(of: images)?.array.contains { $0 != 0 } ?? false)
  }
}
