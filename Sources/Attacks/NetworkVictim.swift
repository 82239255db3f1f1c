import Autograd
import Networks
import Tensors

/// A network under attack, with every gradient open to the attacker. In the training phase, for which
/// it needs the keys of the samples, its drop path is on and its batches are normalised by themselves.
public final class NetworkVictim: Victim {
  public let queries = QueryLog()
  private let model: any Classifier
  private let parameters: ParameterSlab
  private let products: any MatrixProducts
  /// Weights do not change while somebody has a victim.
  private let hold: WeightHold?
  private let pool: BufferPool
  /// Offered to every pass, for losses that read more than the logits.
  private let taps: Taps?
  private let phase: Phase
  private let keys: BatchKeys?

  public init(
    _ model: any Classifier, _ parameters: ParameterSlab, products: any MatrixProducts,
    pool: BufferPool, taps: Taps? = nil, phase: Phase = .evaluation, keys: BatchKeys? = nil
  ) {
    self.model = model
    self.parameters = parameters
    self.products = products
    hold = products.holdWeights()
    self.pool = pool
    self.taps = taps
    self.phase = phase
    self.keys = keys
  }

  public var description: ClassifierDescription { model.description }

  private func context(tape: Tape?) -> Context {
    Context(
      parameters: parameters, products: products, pool: pool, phase: phase, tape: tape,
      taps: taps, keys: keys)
  }

  public func logits(_ images: Tensor, rows: [Int]) -> Tensor {
    queries.recordForward(rows)
    let cx = context(tape: nil)
    return model(Variable(images), cx).prediction(cx).tensor
  }

  public func gradient(
    _ images: Tensor, rows: [Int], of cotangent: (_ logits: Tensor, _ cotangent: Tensor) -> Void
  ) -> (logits: Tensor, gradient: Tensor) {
    queries.recordForward(rows)
    let tape = Tape(.inputs, pool: pool)
    let cx = context(tape: tape)
    let watched = tape.watch(images)
    let scores = model(watched, cx).prediction(cx)
    let seed = Tensor(scores.shape, from: pool)
    cotangent(scores.tensor, seed)
    tape.backward(from: scores, seed: seed)
    let gradient = tape.gradient(of: watched) ?? .zeros(images.shape, from: pool)
    queries.recordGradient(gradient, rows)
    return (scores.tensor, gradient)
  }
}
