import Attacks
import Autograd
import Configuration
import Networks
import Tensors

/// "Free" adversarial training (Shafahi et al., 2019): every batch is trained on m times in a row, and
/// each backward pass gives both the gradient of the weights and that of the images:
///
///     δ ← P(δ + ε sign(∂L/∂x)),   θ ← θ - η ∂L/∂θ,   both at x + δ
///
/// δ belongs to the places of the global batch, not to its samples: it starts at zero and goes over to
/// the next batch. P keeps it within ε and the pixels within 0...1, for the images that come next as
/// well. An epoch has m times its steps, so a run is given an m-th of the epochs.
public struct FreeTraining: Objective {
  public static let kind = "free"
  public static let about = "adversarial training at the cost of natural training (\"free\")"

  /// What is minimised over the examples.
  public var of = Choice<ObjectiveCatalog>()
  /// m: 8 is usual for images of 32 px, 4 for ImageNet.
  public var replays = 8
  /// ε, and the length of a step.
  public var epsilon: PixelDistance = "8/255"
  public var warmup = EpsilonWarmup()

  public init() {}

  public var teacher: Teacher { of.value.teacher }
  public var demands: BatchDemands { of.value.demands.union(.pixelsInRange) }

  public func validate() throws {
    guard replays >= 1 else {
      throw ConfigurationError(
        "replays", "is \(replays)", remedy: "Give how often a batch is trained on, such as 8")
    }
    try ball.validate()
    try of.refuseAttacks()
  }

  /// The ball of the images, as an attack's option.
  private var ball: PGD {
    var attack = PGD()
    attack.epsilon = epsilon
    return attack
  }

  public func makeLoss(in scope: Scope, for model: any Classifier) throws -> any Loss {
    let image = model.description
    return FreeLoss(
      epsilon: Double(ball.threat.epsilon), warmup: warmup,
      memorySize: image.channels * image.side * image.side,
      around: try of.value.makeLoss(in: scope, for: model))
  }
}

/// The loss of `FreeTraining`; its memory is δ.
struct FreeLoss: Loss {
  let figures: [String]
  let memorySize: Int
  var opponent: Opponent? { inner.opponent }

  private let epsilon: Double
  private let warmup: EpsilonWarmup
  private let inner: any Loss

  init(epsilon: Double, warmup: EpsilonWarmup, memorySize: Int, around inner: any Loss) {
    self.epsilon = epsilon
    self.warmup = warmup
    self.memorySize = memorySize
    self.inner = inner
    figures = ["epsilon"] + inner.figures
  }

  func callAsFunction(_ pass: Pass) throws -> Variable {
    let radius = epsilon * warmup.factor(at: pass.moment)
    pass.tally.add(Double(pass.batch.count) * Double(pass.sampleWeight) * radius, to: "epsilon")
    guard radius > 0 else { return try inner(pass) }
    guard let delta = pass.memory else {
      preconditionFailure("free training needs the memory that it asks for")
    }
    let images = pass.batch.images
    let examples = Tensor(images.shape, from: pass.context.pool)
    Elementwise.add(
      images.pointer, delta.pointer, times: 1, into: examples.pointer, count: images.count)
    Perturbations.clampToBox(
      examples.pointer, around: images.pointer, epsilon: Float(radius), count: images.count)
    let input = pass.context.input(examples) { gradient in
      let (x, clean) = (delta.pointer, images.pointer)
      x.update(from: examples.pointer, count: images.count)
      Perturbations.signStep(
        x, along: gradient.pointer, by: Float(radius), around: clean, epsilon: Float(radius),
        count: images.count)
      Elementwise.add(x, clean, times: -1, into: x, count: images.count)
    }
    return try inner(pass.replacing(images: input))
  }

  func state(at moment: Moment) -> [String: String] { inner.state(at: moment) }
}
