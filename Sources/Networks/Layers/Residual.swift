import Autograd

/// x + branch, where the branch of a sample may be dropped while training.
struct Residual {
  let rate: Float
  /// Tells the draws of the blocks apart.
  let block: Int

  /// The sum rides in the branch's last operation unless the branch may be dropped.
  func callAsFunction(
    _ x: Variable, branch: Int, _ cx: Context, _ compute: (_ addedTo: Variable?) -> Variable
  ) -> Variable {
    guard cx.phase == .training, rate > 0 else { return compute(x) }
    return cx.dropPath(x, branch: compute(nil), rate: rate, layer: 2 * block + branch)
  }
}
