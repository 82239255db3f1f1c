/// What the parts of a training step cost on this machine, so that a step of any number of ranks can
/// be put together from them.
public struct StepProfile: Codable, Sendable, Equatable {
  /// Ranks that were at work at once: those of one node.
  public var ranks = 1
  public var cores = 1
  /// Forward and backward of one image, all ranks at work: of the slowest.
  public var imageSeconds = 0.0
  /// The same while one rank works and the others wait.
  public var imageSecondsAlone = 0.0
  /// Adding one slab to another.
  public var foldSeconds = 0.0
  /// What a single rank does once a step: norms and update of all weights.
  public var updateSeconds = 0.0
  /// Processor time to read, decode and augment an image; 0 where there was no data to try it on.
  public var preparationSeconds = 0.0
  /// Forward pass of one image in evaluation.
  public var evaluationSeconds = 0.0
  /// Reduction and all-gather of the slab among the ranks at work; 0 for one.
  public var exchangeSeconds = 0.0
  public var parameters = 0
  /// Floats of the parameter slab, gaps included.
  public var slabElements = 0
  /// Slabs whose owner alone holds them: moments of the optimizer, and a moving average.
  public var ownedSlabs = 0
  /// Floats that the objective remembers for each image of the batch.
  public var memoryPerImage = 0
  /// Tensors of forward and backward pass.
  public var activationBytes = 0
  /// The process before there is a model.
  public var programBytes = 0

  public init() {}
}
