import Tensors

/// Whether random regularisation (drop path) is on. An argument, never a flag on a module.
public enum Phase: Sendable {
  case training
  case evaluation
}

/// Names the samples of a batch to everything that draws random numbers for them.
public struct BatchKeys: Sendable {
  public var seed: UInt64
  /// Optimizer step.
  public var step: Int
  /// Index in the data set, and repetition in the epoch, of every sample of the batch.
  public var samples: [Int]
  public var repeats: [Int]
  /// Tells apart the passes of one step that are to draw independently.
  public var pass = 0

  public init(seed: UInt64, step: Int, samples: [Int], repeats: [Int]) {
    self.seed = seed
    self.step = step
    self.samples = samples
    self.repeats = repeats
  }

  /// The stream of sample `position` of the batch for one purpose and layer.
  public func key(_ purpose: Purpose, _ position: Int, layer: Int) -> RandomKey {
    RandomKey(
      seed: seed, purpose, epoch: step, sample: samples[position],
      restart: repeats[position] + pass << 32, step: layer)
  }
}

/// Everything a forward pass depends on besides its input. Ops are methods of it.
public struct Context {
  public let parameters: ParameterSlab
  public let products: any MatrixProducts
  public let pool: BufferPool
  public var phase: Phase
  /// Nil for a pass that nothing will be differentiated through.
  public var tape: Tape?
  public var taps: Taps?
  /// Needed in the training phase of a model with drop path.
  public var keys: BatchKeys?
  /// One over the size of the global batch for the one forward pass of a training step whose batch
  /// statistics are to enter the running ones; nil for all others.
  public var statisticsWeight: Float?
  /// Whether a section is run again for its gradients, so that what it adds up aside was counted.
  public internal(set) var isReplay = false

  public init(
    parameters: ParameterSlab, products: any MatrixProducts, pool: BufferPool,
    phase: Phase = .evaluation, tape: Tape? = nil, taps: Taps? = nil, keys: BatchKeys? = nil
  ) {
    self.parameters = parameters
    self.products = products
    self.pool = pool
    self.phase = phase
    self.tape = tape
    self.taps = taps
    self.keys = keys
  }

  /// Offers an intermediate result under its name; what comes back takes its place.
  public func tap(_ name: @autoclosure () -> String, _ value: Variable) -> Variable {
    taps?.passes(value, as: name(), self) ?? value
  }

  /// Whether gradients must flow to the parameters.
  var tracksParameters: Bool { tape?.tracksParameters ?? false }

  /// Records `output` if any input is tracked, or parameters are and the op has some.
  func record(
    _ operation: StaticString, _ output: Tensor, from inputs: [Variable],
    parameters: [Parameter] = [], regenerate: (() -> Tensor)? = nil,
    pullback: @escaping Tape.Pullback
  ) -> Variable {
    guard let tape,
      inputs.contains(where: \.isTracked) || (tape.tracksParameters && !parameters.isEmpty)
    else { return Variable(output) }
    return tape.record(
      operation, output, parameters: parameters, regenerate: regenerate, pullback: pullback)
  }

  /// How a pullback gets at `variable`'s data later; see `Tape.saved`.
  func saved(_ variable: Variable) -> () -> Tensor {
    if let tape { return tape.saved(variable) }
    let tensor = variable.tensor
    return { tensor }
  }
}
