import Tensors

extension Context {
  /// `section(x)`, keeping nothing but x: the section runs again in the backward pass.
  ///
  /// The section must be a pure function of its argument and its context, which draws of keyed
  /// random numbers are. Results kept by a tap inside are not differentiable; what a tap interposes
  /// is.
  public func recompute(
    _ x: Variable, _ section: @escaping (Variable, Context) -> Variable
  ) -> Variable {
    guard let tape, tape.isRecording, x.isTracked || tape.tracksParameters else {
      return section(x, self)
    }
    let output = tape.withoutRecording { section(Variable(x.tensor), self).tensor }
    let input = x.tensor
    let edge = x.edge
    var again = self
    again.isReplay = true
    return tape.record("recompute", output) { [again] d, tape in
      var context = again
      let replay = Tape(replaying: tape)
      context.tape = replay
      let start = edge.isTracked ? replay.watch(input) : Variable(input)
      let result = section(start, context)
      replay.backward(from: result, seed: d)
      if edge.isTracked, let dx = replay.gradient(of: start) { tape.give(dx, to: edge) }
    }
  }
}
