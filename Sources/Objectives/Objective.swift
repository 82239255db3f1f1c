import Autograd
import Configuration
import Networks

/// What a run minimises, as a config spells it: options from which the loss is made. A new one is
/// one file and one line of `ObjectiveCatalog`.
public protocol Objective: CatalogKind {
  /// The frozen model this objective learns from, if any; the run loads it.
  var teacher: Teacher { get }
  /// What it asks of the batches.
  var demands: BatchDemands { get }
  /// Steps in a row for which every batch is given; an epoch has so many times its steps.
  var replays: Int { get }

  /// The loss of these options over `model`. What it trains besides the model it declares in `scope`
  /// (role `adversary`).
  ///
  /// - Throws: `ConfigurationError` if the options do not fit the model.
  func makeLoss(in scope: Scope, for model: any Classifier) throws -> any Loss
}

extension Objective {
  public var teacher: Teacher { Teacher() }
  public var demands: BatchDemands { [] }
  public var replays: Int { 1 }
}

/// What an objective asks of the batches it is given, so that a run can be refused before it starts.
public struct BatchDemands: OptionSet, Sendable {
  public let rawValue: Int

  public init(rawValue: Int) { self.rawValue = rawValue }

  /// Pixels in 0...1: an attack's ball and box have no meaning elsewhere.
  public static let pixelsInRange = BatchDemands(rawValue: 1)
  /// One label for every image.
  public static let oneLabel = BatchDemands(rawValue: 2)
}

extension Objective where Self: Loss {
  /// For options that need nothing else to compute the loss.
  public func makeLoss(in scope: Scope, for model: any Classifier) -> any Loss { self }
}

/// A trained model to learn from.
public struct Teacher: Configurable {
  /// A name of `vitdist list models`, or empty when the weights file describes its model.
  public var model = ""
  /// A safetensors file; empty for no teacher.
  public var weights = ""

  public init() {}
}
