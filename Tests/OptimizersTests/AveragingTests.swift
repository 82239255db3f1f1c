import Autograd
import Optimizers
import Tensors
import TestSupport
import Testing

@Suite struct AveragingTests {
  @Test func clippingScalesOnlyLargeGradients() throws {
    var clipping = GradientClipping()
    #expect(clipping.scale(norm: 1e9) == 1)
    clipping.maximumNorm = 2
    #expect(clipping.scale(norm: 1) == 1)
    #expect(clipping.scale(norm: 8) == Float(2 / 8.000001))
    #expect(clipping.scale(norm: 0) == 1)
    #expect(
      message { try GradientClipping(yaml: "maximumNorm: -1", name: "r.yaml") } == """
        r.yaml:1: maximumNorm: -1.0 is negative or not a number. \
        Give 0 for no clipping, or a number such as 1.0.
        """)
  }

  @Test func theAverageFollowsItsRule() {
    var average = MovingAverage()
    #expect(!average.isOn)
    average.decay = 0.99
    #expect(average.decay(afterStep: 1) == 2.0 / 11)
    #expect(average.decay(afterStep: 1000) == 0.99)
    average.warmup = false
    #expect(average.decay(afterStep: 1) == 0.99)

    let layout = raggedLayout()
    let owned = Ownership(of: layout, ranges: [4096..<8192])
    let pool = BufferPool()
    let parameters = Tensor.zeros([layout.count], from: pool)
    let kept = Tensor.zeros([owned.stateCount], from: pool)
    for i in 0..<layout.count { parameters.pointer[i] = noise(i, seed: 5) }
    for i in 0..<owned.stateCount { kept.pointer[i] = noise(i, seed: 6) }
    average.update(kept.pointer, parameters: parameters.pointer, owned: owned, afterStep: 1)
    for slice in owned.slices {
      for i in 0..<slice.count {
        let expected =
          0.99 * noise(slice.stateStart + i, seed: 6) + 0.01 * noise(slice.start + i, seed: 5)
        // One rounding of each product and sum of numbers below 1.
        #expect(isClose(kept.pointer[slice.stateStart + i], expected, absolute: 2e-7))
      }
    }
  }

  @Test func anAverageOfEqualValuesStaysPut() {
    var average = MovingAverage()
    average.decay = 0.9
    let layout = raggedLayout()
    let owned = Ownership(of: layout)
    let values = Tensor(
      [layout.count], (0..<layout.count).map { noise($0, seed: 1) }, from: BufferPool())
    let kept = values.copy(from: BufferPool())
    average.update(kept.pointer, parameters: values.pointer, owned: owned, afterStep: 50)
    #expect(kept.array == values.array)
  }
}
