import Autograd
import Tensors

/// A small world for differentiating one op: parameters, products, a pool.
public struct Workbench {
  /// Its returned blocks are NaN: an op that reads what it has let go fails.
  public let pool = BufferPool(poisonsReturned: true)
  public let products = OpenBLASProducts()
  public let parameters: ParameterSlab
  public let gradients: Tensor

  public init(_ declare: (Scope) -> Void = { _ in }) {
    let declarations = ParameterDeclarations()
    declare(declarations.root)
    parameters = ParameterSlab(declarations, seed: 3, from: pool)
    gradients = .zeros([parameters.layout.count], from: pool)
  }

  /// Values in -1 ..< 1 from a keyed stream.
  public func random(_ shape: Shape, seed: UInt64) -> Tensor {
    let key = RandomKey(seed: seed, .synthesis)
    return Tensor(shape, (0..<shape.count).map { 2 * key.uniformFloat($0) - 1 }, from: pool)
  }

  public func context(tape: Tape?, phase: Phase = .training) -> Context {
    Context(
      parameters: parameters, products: products, pool: pool, phase: phase, tape: tape,
      keys: BatchKeys(
        seed: 1, step: 0, samples: Array(0..<64), repeats: Array(repeating: 0, count: 64)))
  }
}

/// Compares analytic gradients of Σ cotangent · f(inputs, parameters) with finite differences.
public struct GradientCheck {
  public typealias Function = (_ inputs: [Variable], _ cx: Context) -> Variable

  /// The largest difference between analytic and numeric gradient, over the largest gradient.
  public struct Report {
    public var worst: Float = 0
    public var place = ""
  }

  /// Four-point stencil, f' ≈ (8 (f₊₁ - f₋₁) - (f₊₂ - f₋₂)) / 12h, scalars summed in Double.
  public static func run(
    _ bench: Workbench, inputs: [Tensor], step h: Float = 1e-2, _ function: @escaping Function
  ) -> Report {
    let probe = function(inputs.map { Variable($0) }, bench.context(tape: nil))
    let cotangent = bench.random(probe.shape, seed: 77)

    func value() -> Double {
      let y = function(inputs.map { Variable($0) }, bench.context(tape: nil)).tensor
      return (0..<y.count).reduce(0.0) {
        $0 + Double(y.pointer[$1]) * Double(cotangent.pointer[$1])
      }
    }
    func numeric(_ element: UnsafeMutablePointer<Float>) -> Float {
      let middle = element.pointee
      func at(_ k: Float) -> Double {
        element.pointee = middle + k * h
        return value()
      }
      let slope = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * Double(h))
      element.pointee = middle
      return Float(slope)
    }

    let (byInput, byParameter) = analytic(bench, inputs, cotangent, function)
    var report = Report()
    for (number, (input, gradient)) in zip(inputs, byInput).enumerated() {
      compare(gradient, numeric, input, "input \(number)", &report)
    }
    // A running statistic's gradient is what was collected, not a derivative.
    for entry in bench.parameters.layout.entries where entry.role != .statistic {
      let slice = byParameter.slice(entry.range)
      compare(slice, numeric, bench.parameters[entry], entry.name, &report)
    }
    return report
  }

  /// Gradients of every input and of the whole slab.
  private static func analytic(
    _ bench: Workbench, _ inputs: [Tensor], _ cotangent: Tensor, _ function: Function
  ) -> ([Tensor], Tensor) {
    bench.gradients.elements.update(repeating: 0)
    let tape = Tape(.parameters(gradients: bench.gradients.pointer), pool: bench.pool)
    let watched = inputs.map { tape.watch($0) }
    let y = function(watched, bench.context(tape: tape))
    tape.backward(from: y, seed: cotangent.copy(from: bench.pool))
    let byInput = zip(watched, inputs).map { variable, input in
      tape.gradient(of: variable) ?? .zeros(input.shape, from: bench.pool)
    }
    return (byInput, bench.gradients)
  }

  private static func compare(
    _ gradient: Tensor, _ numeric: (UnsafeMutablePointer<Float>) -> Float, _ values: Tensor,
    _ name: String, _ report: inout Report
  ) {
    let expected = (0..<values.count).map { numeric(values.pointer + $0) }
    let scale = max(expected.map(abs).max() ?? 0, 1e-3)
    for i in 0..<values.count {
      let difference = abs(gradient.pointer[i] - expected[i]) / scale
      if !(difference <= report.worst) {
        report.worst = difference
        report.place = "\(name)[\(i)]: \(gradient.pointer[i]) against \(expected[i])"
      }
    }
  }
}
