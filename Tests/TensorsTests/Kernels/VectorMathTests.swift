import Foundation
import Tensors
import Testing

@Suite struct VectorMathTests {
  private let pool = BufferPool()

  /// Units in the last place of the true value.
  @Test func exponentialIsWithinOneUnitInTheLastPlace() {
    let count = 1 << 20
    let x = Tensor([count], from: pool)
    let y = Tensor([count], from: pool)
    for i in 0..<count { x.pointer[i] = -87 + 174 * Float(i) / Float(count - 1) }
    VectorMath.exp(x.pointer, into: y.pointer, count: count)
    var worst = 0.0
    for i in 0..<count {
      let exact = exp(Double(x.pointer[i]))
      worst = max(worst, abs(Double(y.pointer[i]) - exact) / Double(Float(exact).ulp))
    }
    #expect(worst < 1, "\(worst) ulp")
    #expect(worst > 0.5, "better than rounding: the sweep is broken")
  }

  @Test func exponentialIsClampedAndKeepsNaN() {
    let inputs: [Float] = [-.infinity, -1000, -87, 0, 87, 1000, .infinity, .nan]
    let x = Tensor([8], inputs, from: pool)
    let y = Tensor([8], from: pool)
    VectorMath.exp(x.pointer, into: y.pointer, count: 8)
    #expect(y.array[0] == y.array[2] && y.array[1] == y.array[2] && y.array[2] > 0)
    #expect(y.array[3] == 1)
    #expect(y.array[5] == y.array[4] && y.array[6] == y.array[4] && y.array[4].isFinite)
    #expect(y.array[7].isNaN)
  }

  /// Documented: 7.6e-5 of the value for numbers down to -126.
  @Test func theRoughPowerIsGoodForEightBits() {
    var worst = 0.0
    for step in 0...12_600 {
      let y = -Float(step) / 100
      let value = RoughMath.power(SIMD16(repeating: y))[7]
      worst = max(worst, abs(Double(value) / exp2(Double(y)) - 1))
    }
    #expect(worst < 7.6e-5, "\(worst)")
    #expect(RoughMath.power(SIMD16(repeating: -.infinity))[0] < 1.2e-38)
    #expect(RoughMath.power(SIMD16(repeating: .nan))[0].isNaN)
  }
}
