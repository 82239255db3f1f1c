import ArgumentParser
import Configuration
import Networks
import Objectives
import Optimizers
import Reports

struct List: LoneCommand {
  static let configuration = CommandConfiguration(
    abstract: "List what a config can name: models, objectives, optimizers, schedules.")

  enum Subject: String, ExpressibleByArgument, CaseIterable {
    case models, objectives, optimizers, schedules

    var listing: CatalogListing {
      switch self {
      case .models: CatalogListing(BackboneCatalog.self)
      case .objectives: CatalogListing(ObjectiveCatalog.self)
      case .optimizers: CatalogListing(OptimizerCatalog.self)
      case .schedules: CatalogListing(ScheduleCatalog.self)
      }
    }
  }

  @Argument(help: "models, objectives, optimizers or schedules.") var subject: Subject
  @Flag(help: "Show every option with its default.") var options = false

  func work() throws {
    if options {
      print(
        subject.listing.kinds.map { "# \($0.about)\n\($0.defaults.yaml)" }.joined(separator: "\n"))
      return
    }
    var table = TextTable(["kind", "what"])
    for kind in subject.listing.kinds { table.append([kind.name, kind.about]) }
    print(table.text)
  }
}
