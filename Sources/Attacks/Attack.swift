import Configuration
import Networks
import Tensors

/// A way to change images, within a threat model, so that a classifier errs. The options are the
/// attack; a new one is one file and one line of `AttackCatalog`.
///
/// An attack talks to nobody but its victim: it makes no collective call, and its result for a
/// sample depends on that sample, its keys and the victim alone.
public protocol Attack: CatalogKind {
  /// What the result is held to.
  var threat: ThreatModel { get }
  /// What it may do to an image, for a table: `0.01569 (4/255) linf`.
  var allowance: String { get }
  /// A short name with that, for figures over time: `pgd@4/255`.
  var name: String { get }
  /// Whether, and to which classes, images are to be driven when an evaluation makes the goal.
  var target: TargetChoice { get }
  /// What a user should know about these options.
  var warnings: [String] { get }

  /// Refuses options that do not fit the images of a model, before any is attacked.
  ///
  /// - Throws: `ConfigurationError` with the key, relative to these options.
  func check(for image: ClassifierDescription) throws

  /// Refuses options that do not suit the inner loop of training.
  ///
  /// - Parameters:
  ///   - classes: of the model.
  ///   - mixesLabels: whether labels are mixed or smoothed, so that goals are `mixtures`.
  /// - Throws: `ConfigurationError` with the key, relative to these options.
  func checkForTraining(classes: Int, mixesLabels: Bool) throws

  /// The same attack with ε and step size times `factor`: a schedule's part of it.
  func scaled(by factor: Double) -> Self

  /// The same attack as the inner loop of training: the last iterate of exactly its steps, so that all
  /// ranks take equally long.
  var forTraining: Self { get }

  /// The attacked images, `[batch, channels, side, side]`, a new tensor or `images` itself.
  ///
  /// Callers use `examples`, which checks what goes in and what comes out.
  ///
  /// - Parameter images: in 0...1; never written to.
  func perturb(
    _ images: Tensor, _ goal: AttackGoal, of victim: any Victim, keys: AttackKeys, pool: BufferPool
  ) throws -> Tensor
}

extension Attack {
  public var allowance: String {
    threat.isBounded ? "\(PixelDistance(Double(threat.epsilon))) \(threat.norm)" : "unbounded"
  }
  public var name: String {
    let parts = threat.epsilon * 255
    let isWhole = abs(parts - parts.rounded()) < 1e-4
    return "\(Self.kind)@" + (isWhole ? "\(Int(parts.rounded()))/255" : "\(threat.epsilon)")
  }
  public var target: TargetChoice { .none }
  public var warnings: [String] { [] }
  public var forTraining: Self { self }
  public func check(for image: ClassifierDescription) throws {}
  public func checkForTraining(classes: Int, mixesLabels: Bool) throws {}

  /// Adversarial examples for a batch: the images and the goal are checked, and the result is held
  /// to the threat model, as nobody knows what an attack returns.
  ///
  /// - Parameters:
  ///   - images: `[batch, channels, side, side]` in 0...1.
  ///   - goal: one entry for each image.
  ///   - keys: index in the data set of every image; what random draws depend on.
  /// - Returns: a tensor to be read only; `images` itself where nothing changes.
  /// - Throws: `AttackError` naming attack, sample and value; `ConfigurationError` for a loss that
  ///   the goal or the model rules out.
  public func examples(
    of images: Tensor, _ goal: AttackGoal, victim: any Victim, keys: AttackKeys, pool: BufferPool
  ) throws -> Tensor {
    let check = AttackCheck(attack: Self.kind, keys: keys)
    let clean = try check.images(images, victim.description, pool: pool)
    try check.goal(goal, classes: victim.description.classes)
    let result = try perturb(clean, goal, of: victim, keys: keys, pool: pool)
    try check.result(result, around: clean, threat)
    return result
  }
}
