import Autograd
import Configuration
import Datasets
import Networks
import Tensors

/// What a run minimises: the options are the objective. A new one is one file and one line of
/// `ObjectiveCatalog`.
public protocol Objective: CatalogKind {
  /// The frozen model this objective learns from, if any; the run loads it.
  var teacher: Teacher { get }

  /// Adds the gradient of this micro-batch's loss and returns the loss.
  func accumulate(_ batch: Batch, _ pass: Pass) throws -> Contribution
}

extension Objective {
  public var teacher: Teacher { Teacher() }
}

/// A trained model to learn from.
public struct Teacher: Configurable {
  /// A name of `vitdist list models`, or empty when the weights file describes its model.
  public var model = ""
  /// A safetensors file; empty for no teacher.
  public var weights = ""

  public init() {}
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

/// What one micro-batch added to the step.
public struct Contribution: Sendable {
  /// Sum over the samples of their losses, each already divided by the size of the global batch.
  public var loss: Double
  public var samples: Int

  public init(loss: Double, samples: Int) {
    self.loss = loss
    self.samples = samples
  }
}

/// One micro-batch's share of an optimizer step: the model, where gradients go, whose random draws.
public struct Pass {
  public let model: any Classifier
  public let parameters: ParameterSlab
  public let teacher: FrozenModel?
  public let products: any MatrixProducts
  public let pool: BufferPool
  /// Slab to which gradients are added.
  public let gradients: UnsafeMutablePointer<Float>
  public let seed: UInt64
  public let step: Int
  /// One over the number of samples of the global batch: turns sums into its mean.
  public let sampleWeight: Float
  /// Called with every parameter whose gradient is final; nil while later micro-batches add to it.
  public let onParameterReady: ((Parameter) -> Void)?

  public init(
    model: any Classifier, parameters: ParameterSlab, teacher: FrozenModel? = nil,
    products: any MatrixProducts, pool: BufferPool, gradients: UnsafeMutablePointer<Float>,
    seed: UInt64, step: Int, sampleWeight: Float, onParameterReady: ((Parameter) -> Void)? = nil
  ) {
    self.model = model
    self.parameters = parameters
    self.teacher = teacher
    self.products = products
    self.pool = pool
    self.gradients = gradients
    self.seed = seed
    self.step = step
    self.sampleWeight = sampleWeight
    self.onParameterReady = onParameterReady
  }

  /// The context of the pass that trains: training phase, parameters tracked.
  public func training(_ batch: Batch) -> Context {
    let tape = Tape(.parameters(gradients: gradients), pool: pool)
    tape.onParameterReady = onParameterReady
    return Context(
      parameters: parameters, products: products, pool: pool, phase: .training, tape: tape,
      keys: BatchKeys(seed: seed, step: step, samples: batch.samples, repeats: batch.repeats))
  }

  /// The teacher's prediction, which nothing is differentiated through.
  public func teacherLogits(_ batch: Batch) -> Tensor? {
    guard let teacher else { return nil }
    let cx = Context(parameters: teacher.parameters, products: products, pool: pool)
    return teacher.model(Variable(batch.images), cx).prediction(cx).tensor
  }
}
