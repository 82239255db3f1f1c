import Autograd
import Tensors
import TestSupport
import Testing

@Suite struct ChannelGateTests {
  /// Equal tokens make both distributions 1/196, so that the gate is σ(1/196).
  @Test func equalTokensOpenTheGateByHalf() {
    let bench = Workbench { _ = $0.parameter("t", [4, 1, 1], .constant(1)) }
    let cx = bench.context(tape: nil)
    let x = Tensor.zeros([1, 196, 20], from: bench.pool)
    let even = cx.softmaxOverTokens(Variable(x))
    #expect(even.tensor.array.allSatisfy { isClose($0, 1 / 196, absolute: 1e-9) })
    let gate = cx.channelGate(queries: even, keys: even, temperature: parameter(cx, "t"))
    #expect(gate.tensor.array.allSatisfy { isClose($0, 0.5012755, absolute: 2e-7) })
  }
}
