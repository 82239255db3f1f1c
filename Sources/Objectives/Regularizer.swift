import Autograd
import Networks

/// What an objective adds to every forward pass that another one trains: K-sparse attention, RSPC.
/// They nest, each around the next.
public protocol Regularizer {
  /// Runs the pass through `next`, with taps or companions of its own, and returns its scores.
  func forward(
    _ images: Variable, _ pass: Pass, _ cx: Context,
    _ next: (_ images: Variable, _ cx: Context) throws -> Logits
  ) throws -> Logits
}
