import Autograd
import Configuration
import Tensors

/// Options from which a classifier can be built.
public protocol Backbone: Configurable {
  /// Height and width, and colour channels, of the images it takes.
  var imageSize: Int { get set }
  var channels: Int { get }
  var classes: Int { get set }
  /// Patches along one side.
  var gridSize: Int { get }
  /// The catalogue entry that takes these options, with them.
  var choice: Choice<BackboneCatalog> { get }

  /// Declares the parameters in `scope` and wires the modules over them.
  func build(in scope: Scope, pool: BufferPool) -> any Classifier
}

extension Backbone {
  /// What the model takes and what it says, without any weights.
  public var outline: ClassifierDescription {
    build(in: ParameterDeclarations().root, pool: BufferPool()).description
  }
}

/// Every architecture a config or `--model` can name.
public enum BackboneCatalog: Catalog {
  public static let subject = "model"
  public static let entries: [CatalogEntry<any Backbone>] =
    [
      CatalogEntry(VisionTransformer.self) { $0 },
      CatalogEntry(RobustVisionTransformer.self) { $0 },
      CatalogEntry(FullyAttentionalNetwork.self) { $0 },
    ]
    + NamedModels.entries.map { model in
      CatalogEntry(model.name, about: model.about, defaults: model.options, upcast: { $0 })
    }
    + RobustModels.rvt.map { model in
      CatalogEntry(model.name, about: model.about, defaults: model.options, upcast: { $0 })
    }
    + RobustModels.fan.map { model in
      CatalogEntry(model.name, about: model.about, defaults: model.options, upcast: { $0 })
    }
}

/// A classifier together with its weights.
public struct Network {
  public let backbone: any Backbone
  public let model: any Classifier
  public let parameters: ParameterSlab

  /// A network with the initial weights of `seed`.
  public init(_ backbone: any Backbone, seed: UInt64, pool: BufferPool) {
    self = Self.make(backbone, seed: seed, pool: pool) { _, _ in }.network
  }

  /// A network whose slab also holds what `companion` declares after the model's own parameters.
  public static func make<Companion>(
    _ backbone: any Backbone, seed: UInt64, pool: BufferPool,
    with companion: (Scope, any Classifier) throws -> Companion
  ) rethrows -> (network: Network, companion: Companion) {
    let declarations = ParameterDeclarations()
    let model = backbone.build(in: declarations.root, pool: pool)
    let made = try companion(declarations.root, model)
    let parameters = ParameterSlab(declarations, seed: seed, from: pool)
    return (Network(backbone: backbone, model: model, parameters: parameters), made)
  }

  init(backbone: any Backbone, model: any Classifier, parameters: ParameterSlab) {
    self.backbone = backbone
    self.model = model
    self.parameters = parameters
  }
}
