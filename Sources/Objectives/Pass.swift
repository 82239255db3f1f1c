import Autograd
import Datasets
import Networks
import Tensors

/// When in a run a step is: what every schedule of an objective is a function of.
public struct Moment: Sendable, Equatable {
  /// Optimizer steps done before this one.
  public let step: Int
  public let stepsPerEpoch: Int
  public let totalSteps: Int

  public init(step: Int, stepsPerEpoch: Int, totalSteps: Int) {
    self.step = step
    self.stepsPerEpoch = stepsPerEpoch
    self.totalSteps = totalSteps
  }

  public var epoch: Int { step / stepsPerEpoch }
  /// Epochs done, in fractions.
  public var epochs: Double { Double(step) / Double(stepsPerEpoch) }
}

/// A model with its weights, ready to be asked.
public struct FrozenModel {
  public let model: any Classifier
  public let parameters: ParameterSlab

  public init(_ model: any Classifier, _ parameters: ParameterSlab) {
    self.model = model
    self.parameters = parameters
  }
}

/// One micro-batch's share of an optimizer step: the samples, the model, where gradients go.
public struct Pass {
  public private(set) var batch: Batch
  /// The batch's images as they enter the computation.
  public private(set) var images: Variable
  /// What the loss remembers for the places of these samples, `[batch, memorySize]`; it may change it.
  public let memory: Tensor?
  public let model: any Classifier
  public let teacher: FrozenModel?
  public let moment: Moment
  public let seed: UInt64
  /// One over the number of samples of the global batch: turns sums into its mean. Of a part of a
  /// mixed loss, its share of that.
  public private(set) var sampleWeight: Float
  /// The training phase on a tape that tracks the parameters.
  public let context: Context
  public let tally = Tally()
  private var regularizers: [any Regularizer] = []

  /// - Parameters:
  ///   - memory: of a loss that has some.
  ///   - gradients: slab to which gradients are added.
  ///   - onParameterReady: called with every parameter whose gradient is final; nil while later
  ///     micro-batches add to it.
  public init(
    _ batch: Batch, of moment: Moment, seed: UInt64, sampleWeight: Float, model: any Classifier,
    parameters: ParameterSlab, teacher: FrozenModel? = nil, memory: Tensor? = nil,
    products: any MatrixProducts, pool: BufferPool, gradients: UnsafeMutablePointer<Float>,
    onParameterReady: ((Parameter) -> Void)? = nil
  ) {
    self.batch = batch
    self.memory = memory
    images = Variable(batch.images)
    self.model = model
    self.teacher = teacher
    self.moment = moment
    self.seed = seed
    self.sampleWeight = sampleWeight
    let tape = Tape(.parameters(gradients: gradients), pool: pool)
    tape.onParameterReady = onParameterReady
    context = Context(
      parameters: parameters, products: products, pool: pool, phase: .training, tape: tape,
      keys: BatchKeys(
        seed: seed, step: moment.step, samples: batch.samples, repeats: batch.repeats))
  }

  /// The same pass with one more regularizer around each forward pass that trains.
  public func regularized(by regularizer: any Regularizer) -> Pass {
    var pass = self
    pass.regularizers.append(regularizer)
    return pass
  }

  /// The same pass over other images of its samples.
  public func replacing(images: Variable) -> Pass {
    var pass = self
    pass.batch.images = images.tensor
    pass.images = images
    return pass
  }

  /// The same pass as a part of the loss that counts `share`.
  public func weighted(by share: Double) -> Pass {
    var pass = self
    pass.sampleWeight *= Float(share)
    return pass
  }

  /// The model's scores of images of this batch, in a forward pass that trains and that every
  /// regularizer sees.
  ///
  /// - Parameter tracksStatistics: whether the batch statistics of this pass enter the running ones:
  ///   true for one forward pass of a micro-batch.
  public func logits(_ images: Variable, tracksStatistics: Bool = true) throws -> Logits {
    var cx = context
    cx.statisticsWeight = tracksStatistics ? sampleWeight : nil
    return try logits(images, cx, regularizers[...])
  }

  private func logits(
    _ images: Variable, _ cx: Context, _ remaining: ArraySlice<any Regularizer>
  ) throws -> Logits {
    guard let regularizer = remaining.first else { return model(images, cx) }
    return try regularizer.forward(images, self, cx) { images, cx in
      try logits(images, cx, remaining.dropFirst())
    }
  }

  /// The teacher's prediction, which nothing is differentiated through.
  public func teacherLogits() -> Tensor? {
    guard let teacher else { return nil }
    let cx = Context(
      parameters: teacher.parameters, products: context.products, pool: context.pool)
    return teacher.model(Variable(batch.images), cx).prediction(cx).tensor
  }
}
