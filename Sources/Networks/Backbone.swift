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

/// Every architecture a config or `--model` can name.
public enum BackboneCatalog: Catalog {
  public static let subject = "model"
  public static let entries: [CatalogEntry<any Backbone>] =
    [CatalogEntry(VisionTransformer.self) { $0 }]
    + NamedModels.entries.map { model in
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
    let declarations = ParameterDeclarations()
    self.backbone = backbone
    model = backbone.build(in: declarations.root, pool: pool)
    parameters = ParameterSlab(declarations, seed: seed, from: pool)
  }
}
