import Configuration

/// A rule that moves parameters along their gradients, one pass over raw slabs.
///
/// Its options are its stored properties; its memory is a number of state slabs that somebody else
/// holds, saves and restores. The arithmetic is element by element with operations that do not
/// depend on how the slab is cut, so a rank may update its own part only and all ranks together
/// produce the bits of one.
public protocol Optimizer: CatalogKind {
  /// Base learning rate; the schedule makes the step's rate of it.
  var learningRate: Double { get }
  /// Coefficient λ for the tensors that decay.
  var weightDecay: Double { get }
  /// State slabs of `Ownership.stateCount` floats each, zero before step 1, e.g. `adamw.m`.
  var stateNames: [String] { get }

  /// Updates the owned parameters in place.
  ///
  /// The owned part of the gradients may be overwritten. `norms` is used by optimizers that need a
  /// norm over a whole tensor; all ranks then make the call together.
  /// - Throws: what `norms` throws.
  func update(
    _ slabs: OptimizerSlabs, owned: Ownership, step: OptimizerStep, norms: any ParameterNorms)
    throws
}

/// Where an update reads and writes; whoever makes it keeps the memory alive.
public struct OptimizerSlabs {
  /// Whole layout.
  public let parameters: UnsafeMutablePointer<Float>
  /// Whole layout, summed over all ranks.
  public let gradients: UnsafeMutablePointer<Float>
  /// Compact: `Ownership.stateCount` floats each, in the order of `stateNames`.
  public let states: [UnsafeMutablePointer<Float>]

  public init(
    parameters: UnsafeMutablePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    states: [UnsafeMutablePointer<Float>]
  ) {
    self.parameters = parameters
    self.gradients = gradients
    self.states = states
  }
}

/// What differs from one update to the next.
public struct OptimizerStep: Sendable {
  /// Updates done, this one included: 1 for the first.
  public let number: Int
  /// The step's rate, as the schedule says.
  public let learningRate: Double
  /// Factor on every gradient, 1 or what clipping asks for.
  public let gradientScale: Float

  public init(number: Int, learningRate: Double, gradientScale: Float = 1) {
    precondition(number >= 1, "optimizer steps count from 1")
    self.number = number
    self.learningRate = learningRate
    self.gradientScale = gradientScale
  }
}

/// The optimizers by name.
public enum OptimizerCatalog: Catalog {
  public static let subject = "optimizer"
  public static let entries: [CatalogEntry<any Optimizer>] = [.adamw, .sgd, .lamb]
}

extension Optimizer {
  /// The checks that every optimizer's options need.
  func validateRates() throws {
    guard learningRate > 0, learningRate.isFinite else {
      throw ConfigurationError(
        "learningRate", "\(learningRate) is not a positive number",
        remedy: "Give a number above 0, e.g. 1.0e-3")
    }
    guard weightDecay >= 0, weightDecay.isFinite else {
      throw ConfigurationError(
        "weightDecay", "\(weightDecay) is negative or not a number",
        remedy: "Give 0 for no decay, or a number such as 0.05")
    }
  }
}

/// The check of a coefficient of an exponential average.
func validateUnit(_ key: String, _ value: Double) throws {
  guard value >= 0, value < 1 else {
    throw ConfigurationError(key, "\(value) is not in 0 ..< 1", remedy: "Give e.g. 0.9")
  }
}
