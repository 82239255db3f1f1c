import Autograd
import Tensors

/// Computes the loss of a micro-batch. Made by an `Objective`; holds no state that a step changes: what
/// it remembers from step to step comes with the pass.
public protocol Loss {
  /// Names of the figures it adds to the tally besides the loss, in the order of the log.
  var figures: [String] { get }
  /// How the arrays move that the objective trains against the model; nil if it has none.
  var opponent: Opponent? { get }
  /// Numbers that it remembers for every place of the global batch; zero before the first step.
  var memorySize: Int { get }

  /// The loss as a scalar on the tape of `pass.context`: the sum over samples, times
  /// `pass.sampleWeight`. What regularizers add aside goes to `pass.tally`.
  func callAsFunction(_ pass: Pass) throws -> Variable

  /// Where its loops stand at a moment, for the checkpoint: a pure function of the moment.
  func state(at moment: Moment) -> [String: String]
}

extension Loss {
  public var figures: [String] { [] }
  public var opponent: Opponent? { nil }
  public var memorySize: Int { 0 }
  public func state(at moment: Moment) -> [String: String] { [:] }

  /// Adds the gradient of this micro-batch's loss and returns the loss.
  public func accumulate(_ pass: Pass) throws -> Contribution {
    let loss = try self(pass)
    pass.context.tape?.backward(from: loss)
    return Contribution(
      loss: Double(loss.tensor.pointer[0]) + pass.tally.loss,
      figures: figures.map { pass.tally[$0] }, samples: pass.batch.count)
  }
}

/// What one micro-batch added to the step. Each number is a sum over its samples, every one divided
/// by the size of the global batch.
public struct Contribution: Sendable {
  public var loss: Double
  /// In the order of the loss's `figures`.
  public var figures: [Double]
  public var samples: Int
}

/// Adds up what a forward pass finds on its way: terms of the loss whose gradient rides in a
/// pullback, and figures for the log.
public final class Tally {
  /// Terms of the loss that are not in its scalar.
  public private(set) var loss = 0.0
  private var sums: [String: Double] = [:]

  public init() {}

  public subscript(name: String) -> Double { sums[name] ?? 0 }

  /// Adds to a figure.
  public func add(_ value: Double, to name: String) { sums[name, default: 0] += value }

  /// Adds a term of the loss.
  public func addLoss(_ value: Double) { loss += value }
}
