import Autograd
import Tensors
import TestSupport
import Testing

/// Ops whose slope jumps: differentiated where the stencil does not step over a jump.
@Suite struct KinkedOpTests {
  private let bench = Workbench()

  /// Values a tenth apart, in an order that looks like none.
  private func spread(_ shape: Shape) -> Tensor {
    let values = (0..<shape.count).map { Float(($0 * 7919 + 13) % shape.count) }
    return Tensor(
      shape, values.map { 0.1 * ($0 - Float(shape.count / 2)) + 0.05 }, from: bench.pool)
  }

  @Test(arguments: [(5, 3), (6, 17), (4, 33)])
  func theMaximumPassesItsGradientOn(_ side: Int, _ channels: Int) {
    let window = SlidingWindow(side: side, kernel: 3, stride: 2, padding: 1)
    // Exact in float but for rounding: the function is linear between jumps.
    let report = GradientCheck.run(bench, inputs: [spread([2, side * side, channels])]) { x, cx in
      cx.maxPool(x[0], window: window)
    }
    #expect(report.worst < 2e-3, "\(report.place)")
  }

  @Test func rectification() {
    let report = GradientCheck.run(bench, inputs: [spread([37])]) { x, cx in cx.relu(x[0]) }
    #expect(report.worst < 2e-3, "\(report.place)")
  }

  @Test func ofEqualValuesTheFirstPasses() throws {
    let tape = Tape(.inputs, pool: bench.pool)
    let x = tape.watch(.zeros([1, 4, 1], from: bench.pool))
    let window = SlidingWindow(side: 2, kernel: 2, stride: 2, padding: 0)
    let y = bench.context(tape: tape).maxPool(x, window: window)
    tape.backward(from: y, seed: Tensor([1, 1, 1], [3], from: bench.pool))
    #expect(try #require(tape.gradient(of: x)).array == [3, 0, 0, 0])
  }

  @Test func aNaNIsNotSwallowed() {
    let x = Tensor([1, 4, 1], [1, .nan, 3, 2], from: bench.pool)
    let window = SlidingWindow(side: 2, kernel: 2, stride: 2, padding: 0)
    let cx = bench.context(tape: nil)
    #expect(cx.maxPool(Variable(x), window: window).tensor.array[0].isNaN)
    #expect(cx.relu(Variable(x)).tensor.array[1].isNaN)
  }
}
