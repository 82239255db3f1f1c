import Autograd
import Tensors
import TestSupport
import Testing

@Suite struct TapeTests {
  private let bench = Workbench {
    _ = $0.parameter("w", [4, 4], .normal(0.5))
    _ = $0.parameter("b", [4], .normal(0.5))
    _ = $0.parameter("v", [4, 4], .normal(0.5))
    _ = $0.parameter("c", [4], .normal(0.5))
  }

  private func parameter(_ index: Int) -> Parameter {
    Parameter(index: index, entry: bench.parameters.layout.entries[index])
  }

  private func tape() -> Tape {
    Tape(.parameters(gradients: bench.gradients.pointer), pool: bench.pool)
  }

  @Test func aHookFiresOnceAfterTheLastUse() {
    let tape = tape()
    var order: [String] = []
    tape.onParameterReady = { order.append($0.name) }
    let cx = bench.context(tape: tape)
    let (w, b, v, c) = (parameter(0), parameter(1), parameter(2), parameter(3))
    let x = Variable(bench.random([2, 4], seed: 1))
    let shared = cx.linear(cx.linear(x, weight: w, bias: b), weight: w, bias: b)
    let y = cx.linear(shared, weight: v, bias: c)
    tape.backward(from: y, seed: bench.random([2, 4], seed: 2))
    #expect(order == ["v", "c", "w", "b"])
  }

  @Test func hooksSeeThroughRecomputation() {
    let tape = tape()
    var order: [String] = []
    tape.onParameterReady = { order.append($0.name) }
    let cx = bench.context(tape: tape)
    let (w, b) = (parameter(0), parameter(1))
    let x = Variable(bench.random([2, 4], seed: 1))
    let inner = cx.recompute(x) { $1.linear($0, weight: w, bias: b) }
    let y = cx.linear(inner, weight: w, bias: b)
    tape.backward(from: y, seed: bench.random([2, 4], seed: 2))
    #expect(order == ["w", "b"])
  }

  @Test func straightThroughIsTheIdentityBackward() throws {
    let tape = Tape(.inputs, pool: bench.pool)
    let cx = bench.context(tape: tape)
    let x = tape.watch(bench.random([6], seed: 1))
    let rounded = Tensor([6], x.tensor.array.map { $0.rounded() }, from: bench.pool)
    let y = cx.straightThrough(x, value: rounded)
    #expect(y.tensor.array == rounded.array)
    let seed = bench.random([6], seed: 2)
    tape.backward(from: y, seed: seed.copy(from: bench.pool))
    #expect(try #require(tape.gradient(of: x)).array == seed.array)
  }

  @Test func reversalNegatesAndScales() throws {
    let tape = Tape(.inputs, pool: bench.pool)
    let cx = bench.context(tape: tape)
    let x = tape.watch(bench.random([6], seed: 1))
    let y = cx.reverseGradient(x, by: 0.5)
    #expect(y.tensor.array == x.tensor.array)
    let seed = bench.random([6], seed: 2)
    tape.backward(from: y, seed: seed.copy(from: bench.pool))
    #expect(try #require(tape.gradient(of: x)).array == seed.array.map { -0.5 * $0 })
  }

  @Test func anInputsTapeHoldsLessThanAFullOne() {
    func held(_ tracking: Tape.Tracking) -> Int {
      let pool = BufferPool()
      let tape = Tape(tracking, pool: pool)
      var cx = bench.context(tape: tape)
      cx = Context(parameters: cx.parameters, products: cx.products, pool: pool, tape: tape)
      let x = tape.watch(Tensor.zeros([64, 4], from: pool))
      let y = cx.linear(
        cx.linear(x, weight: parameter(0), bias: parameter(1)),
        weight: parameter(2), bias: parameter(3))
      defer { withExtendedLifetime(y) {} }
      return pool.statistics.bytesInUse
    }
    #expect(held(.inputs) <= held(.parameters(gradients: bench.gradients.pointer)))
  }

  @Test func tapsKeepOnlyWhatWasAskedFor() {
    var cx = bench.context(tape: nil)
    cx.taps = Taps(["a"])
    _ = cx.tap("a", Variable(bench.random([2], seed: 1)))
    _ = cx.tap("b", Variable(bench.random([2], seed: 1)))
    #expect(cx.taps?.values.keys.sorted() == ["a"])
  }

  @Test func aSecondStepTakesNoNewMemory() {
    func step() {
      let tape = tape()
      let cx = bench.context(tape: tape)
      let x = Variable(bench.random([32, 4], seed: 1))
      let y = cx.gelu(cx.linear(x, weight: parameter(0), bias: parameter(1)), .erf)
      tape.backward(from: y, seed: bench.random([32, 4], seed: 2))
    }
    step()
    let before = bench.pool.statistics.allocations
    for _ in 0..<5 { step() }
    #expect(bench.pool.statistics.allocations == before)
  }
}
