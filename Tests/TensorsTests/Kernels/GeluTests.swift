import Foundation
import Tensors
import Testing

@Suite struct GeluTests {
  private let pool = BufferPool()

  private func value(_ form: Gelu, _ x: Double) -> Double {
    switch form {
    case .erf: return 0.5 * x * erfc(-x / 2.0.squareRoot())
    case .tanh:
      return 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }
  }

  private func slope(_ form: Gelu, _ x: Double) -> Double {
    switch form {
    case .erf:
      return 0.5 * erfc(-x / 2.0.squareRoot()) + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
    case .tanh:
      let c = (2 / Double.pi).squareRoot()
      let t = tanh(c * (x + 0.044715 * x * x * x))
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x)
    }
  }

  /// Documented: 3.84e-7 (erf) and 4.33e-7 (tanh) for the value on |x| ≤ 8, half of which is the last
  /// bit of 8; 1.9e-7 and 2.2e-6 for the slope.
  @Test(arguments: Gelu.allCases) func agreesWithTheLibraryOverTheWholeRange(form: Gelu) {
    let count = 1 << 18
    let x = Tensor([count], from: pool)
    for i in 0..<count { x.pointer[i] = -8 + 16 * Float(i) / Float(count - 1) }
    let y = Tensor([count], from: pool)
    form.forward(x.pointer, into: y.pointer, count: count)
    let inputs = x.array.map { Double($0) }
    let error = worst(y.array, inputs.map { value(form, $0) })
    #expect(error < 5e-7, "value: \(error)")

    let ones = Tensor([count], Array(repeating: 1, count: count), from: pool)
    form.backward(x.pointer, gradient: ones.pointer, into: y.pointer, count: count)
    let slopeError = worst(y.array, inputs.map { slope(form, $0) })
    #expect(slopeError < (form == .erf ? 3e-7 : 3e-6), "slope: \(slopeError)")
  }

  @Test(arguments: raggedWidths, Gelu.allCases)
  func tailsAreComputedAndNothingElseIsTouched(width: Int, form: Gelu) {
    let x = Samples(width, seed: 1, scale: 3, from: pool)
    let y = Samples(width, seed: 2, from: pool)
    form.forward(x.pointer, into: y.pointer, count: width)
    #expect(worst(y.values, x.values.map { value(form, Double($0)) }) < 5e-7)
    let dy = Samples(width, seed: 3, from: pool)
    let expected = zip(x.values, dy.values).map { slope(form, Double($0)) * Double($1) }
    form.backward(x.pointer, gradient: dy.pointer, into: dy.pointer, count: width)
    #expect(worst(dy.values, expected) < (form == .erf ? 3e-7 : 3e-6))
    #expect(y.isGuardIntact && dy.isGuardIntact)
    x.pointer[width - 1] = .nan
    form.forward(x.pointer, into: y.pointer, count: width)
    #expect(y.values.map(\.isNaN) == x.values.map(\.isNaN))
  }

  /// Documented: 4e-4 of the value and 5e-4 for the derivative, for operands that bfloat16 can hold.
  @Test func theRoughFormIsGoodForEightBits() {
    var (valueError, slopeError) = (0.0, 0.0)
    for step in -4000...4000 {
      let x = Double(step) / 400
      let lanes = SIMD16<Float>(repeating: Float(x))
      let exact = value(.erf, Double(Float(x)))
      // Below -9 nothing but the size of a subnormal number is left.
      if abs(exact) > 1e-18 {
        valueError = max(valueError, abs(Double(RoughErfForm.value(lanes)[3]) / exact - 1))
      }
      slopeError = max(slopeError, abs(Double(RoughErfForm.slope(lanes)[5]) - slope(.erf, x)))
    }
    #expect(valueError < 4e-4, "value: \(valueError)")
    #expect(slopeError < 5e-4, "slope: \(slopeError)")
    #expect(RoughErfForm.value(SIMD16(repeating: .nan))[0].isNaN)
    #expect(RoughErfForm.value(SIMD16(repeating: .infinity))[0] == .infinity)
    #expect(RoughErfForm.value(SIMD16(repeating: 3e38))[0] == 3e38)
    #expect(RoughErfForm.value(SIMD16(repeating: -3e38))[0] == 0)
  }
}
