import Configuration

// A miniature of a training recipe: nested options, choices, lists, dictionaries.

protocol Updating: CatalogKind {}

struct Adam: Updating {
  static let kind = "adamw"
  static let about = "Adam with decoupled weight decay"
  var learningRate = 1e-3
  var weightDecay: Float = 0.05
  func validate() throws {
    if learningRate <= 0 {
      throw ConfigurationError(
        "learningRate", "\(learningRate) is not positive", remedy: "Give a number above 0")
    }
  }
}

struct Momentum: Updating {
  static let kind = "sgd"
  static let about = "Stochastic gradient descent"
  var learningRate = 0.1
  var momentum = 0.9
}

enum UpdatingCatalog: Catalog {
  static let subject = "optimizer"
  static let entries: [CatalogEntry<any Updating>] = [.adamw, .sgd]
}

extension CatalogEntry<any Updating> {
  static var adamw: Self { Self(Adam.self) { $0 } }
  static var sgd: Self { Self(Momentum.self) { $0 } }
}

struct Backbone: Configurable {
  var width = 192
  var depth = 12
}

enum BackboneCatalog: Catalog {
  static let subject = "model"
  static let entries: [CatalogEntry<Backbone>] = [
    CatalogEntry("vit", about: "A plain Vision Transformer", defaults: Backbone()) { $0 },
    CatalogEntry(
      "deit_small_patch16_224", about: "DeiT-S", defaults: Backbone(width: 384, depth: 12)
    ) { $0 },
  ]
}

enum Precision: String, Codable, CaseIterable { case f32, bf16 }

struct Augmentation: Configurable {
  var flip = true
  var padding = 4
}

struct Batches: Configurable {
  var size = 256
  var virtualShards = 32
  func validate() throws {
    if size % virtualShards != 0 {
      throw ConfigurationError(
        "size", "\(size) is not a multiple of virtualShards \(virtualShards)",
        remedy: "Give a multiple of it")
    }
  }
}

struct Kitchen: Configurable {
  var about = ""
  var seed: UInt64 = 42
  var model = Choice<BackboneCatalog>()
  var augmentation = Augmentation(flip: false, padding: 2)
  var optimizer = Choice<UpdatingCatalog>(Adam(learningRate: 5e-4))
  var batch = Batches()
  var precision = Precision.f32
  var milestones: [Double] = [0.5, 0.75]
  var attacks: [Choice<UpdatingCatalog>] = []
  var weights: [String: Double] = ["clean": 1]
}
