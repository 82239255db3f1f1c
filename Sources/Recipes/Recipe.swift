import Checkpoints
import Configuration
import Networks
import Objectives
import Optimizers
import Tensors
import Training

/// A whole run as a config file spells it. Every key has a default; a file names what it changes.
public struct Recipe: Configurable {
  /// What the run is, the command that starts it, what to expect.
  public var about = ""
  public var seed = 42
  public var model = Choice<BackboneCatalog>()
  public var initialization = InitializationOptions()
  public var data = DataOptions()
  public var objective = Choice<ObjectiveCatalog>()
  public var optimizer = Choice<OptimizerCatalog>()
  public var schedule = Choice<ScheduleCatalog>()
  public var batch = BatchOptions()
  /// Length of the run: one of the two is given.
  public var epochs = 0.0
  public var steps = 0
  public var clipping = GradientClipping()
  public var average = MovingAverage()
  public var nonFinite = NonFinitePolicy.abort
  public var precision = Precision.f32
  public var evaluation = EvaluationCadence()
  public var checkpoints = CheckpointOptions()
  public var replicaCheck = ReplicaCheckOptions()
  public var watchdog = WatchdogOptions()
  public var lossSpikes = LossSpikeOptions()
  /// How virtual shards are dealt to the ranks: even, auto (by measured speed) or the number of every
  /// rank, such as 20,12. Changes no bits.
  public var balance = "even"
  /// Threads of each rank, which compute as many of its virtual shards at the same time over one copy of
  /// the weights: for nodes short of memory. Changes no bits.
  public var threads = 1

  public init() {}

  public func validate() throws {
    guard seed >= 0, seed <= 1 << 53 else {
      throw ConfigurationError(
        "seed", "\(seed) is outside 0...2^53", remedy: "Give an integer from 0 to 2^53")
    }
    guard epochs >= 0, epochs.isFinite else {
      throw ConfigurationError(
        "epochs", "\(epochs) is not a length", remedy: "Give a positive number, or 0 and steps")
    }
    guard steps >= 0 else {
      throw ConfigurationError(
        "steps", "\(steps) is not a length", remedy: "Give a positive integer, or 0 and epochs")
    }
    guard (epochs > 0) != (steps > 0) else {
      throw ConfigurationError(
        "epochs", epochs > 0 ? "epochs and steps are both given" : "the run has no length",
        remedy: "Give either epochs or steps, and set the other to 0")
    }
    _ = try Balance(balance)
    guard (1...ThreadTeam.limit).contains(threads) else {
      throw ConfigurationError(
        "threads", "\(threads) is outside 1...\(ThreadTeam.limit)",
        remedy: "Give 1, or the cores that each rank has")
    }
    try validateBatches(for: objective.value.demands)
  }

  private func validateBatches(for demands: BatchDemands) throws {
    let augmentation = data.augmentation
    if demands.contains(.pixelsInRange), augmentation.randomErasing.probability > 0 {
      throw ConfigurationError(
        "data.augmentation.randomErasing",
        "fills images with noise outside the pixel range, where an attack has no meaning",
        remedy: "Set its probability to 0, or take an objective without attacks")
    }
    if demands.contains(.oneLabel), augmentation.mixes {
      throw ConfigurationError(
        "data.augmentation.mixing", "mixes labels, and \(objective.kind) needs one for every image",
        remedy: "Set the alpha of mixup and of cutmix to 0")
    }
  }

  /// Number of optimizer steps.
  public func totalSteps(stepsPerEpoch: Int) -> Int {
    steps > 0 ? steps : max(1, Int((epochs * Double(stepsPerEpoch)).rounded()))
  }
}

/// How a global batch is cut.
public struct BatchOptions: Configurable {
  /// Samples of one optimizer step, over all ranks.
  public var size = 256
  /// Parts whose gradients are summed in one fixed order; at most so many ranks have work.
  public var virtualShards = 32
  /// Samples that go through the model at once.
  public var microBatch = 4

  public init() {}

  public func validate() throws {
    for (key, value) in [
      ("size", size), ("virtualShards", virtualShards), ("microBatch", microBatch),
    ] where value < 1 {
      throw ConfigurationError(
        key, "\(value) is not positive", remedy: "Give an integer of at least 1")
    }
    guard size % virtualShards == 0 else {
      let near = max(1, size / virtualShards) * virtualShards
      throw ConfigurationError(
        "size", "\(size) is not a multiple of virtualShards (\(virtualShards))",
        remedy: "Give a size such as \(near), or change virtualShards")
    }
  }
}

/// Weights to start from.
public struct InitializationOptions: Configurable {
  /// A safetensors file, timm's names; empty to start from random weights. Heads for another number
  /// of classes start afresh, position embeddings are interpolated.
  public var weights = ""
  public var positionInterpolation = PositionInterpolation.antialiased

  public init() {}
}

/// When a run is judged.
public struct EvaluationCadence: Configurable {
  /// Epochs between two evaluations; 0 for one at the end only.
  public var everyEpochs = 1
  /// Images that go through the model at once.
  public var chunk = 32
  /// Attacks on a fixed part of the validation data.
  public var robust = RobustEvaluationOptions()
  /// How attention looks on a fixed part of it.
  public var attention = AttentionEvaluationOptions()

  public init() {}

  public func validate() throws {
    guard everyEpochs >= 0 else {
      throw ConfigurationError(
        "everyEpochs", "\(everyEpochs) is negative",
        remedy: "Give 0 for one evaluation at the end, or more")
    }
    guard chunk > 0 else {
      throw ConfigurationError(
        "chunk", "\(chunk) is not positive", remedy: "Give an integer of at least 1, such as 32")
    }
  }
}

/// When the ranks compare their weights, which should be equal to the bit.
public struct ReplicaCheckOptions: Configurable {
  /// Steps between two comparisons at least; 0 for none. One reads all weights once.
  public var everySteps = 1
  /// Part of the time that comparisons may take: where they take more, they are made less often.
  public var timeShare = 0.01

  public init() {}

  public func validate() throws {
    guard everySteps >= 0 else {
      throw ConfigurationError(
        "everySteps", "is \(everySteps)", remedy: "Give 0 for no comparison, or more")
    }
    guard timeShare > 0, timeShare <= 1 else {
      throw ConfigurationError(
        "timeShare", "is \(timeShare)", remedy: "Give a part from 0 to 1, such as 0.01")
    }
  }
}
