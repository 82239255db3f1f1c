import ArgumentParser
import Attacks
import Configuration
import Networks
import Objectives
import Optimizers
import Recipes
import Reports

struct List: LoneCommand {
  static let configuration = CommandConfiguration(
    abstract: "List what a config can name, and every key with its default.",
    discussion: """
      models, objectives, attacks, optimizers, schedules: what can stand at kind; with --options, \
      each with its keys and defaults, as a config spells them.
      config: all keys of a config, with the defaults.
      """)

  enum Subject: String, ExpressibleByArgument, CaseIterable {
    case models, objectives, attacks, optimizers, schedules, config

    /// None for what is not a catalogue.
    var listing: CatalogListing? {
      switch self {
      case .models: CatalogListing(BackboneCatalog.self)
      case .objectives: CatalogListing(ObjectiveCatalog.self)
      case .attacks: CatalogListing(AttackCatalog.self)
      case .optimizers: CatalogListing(OptimizerCatalog.self)
      case .schedules: CatalogListing(ScheduleCatalog.self)
      case .config: nil
      }
    }
  }

  @Argument(help: .init("What to list.", valueName: "subject")) var subject: Subject
  @Flag(help: "Show the keys of every kind with their defaults.") var options = false

  func work() throws {
    guard let kinds = subject.listing?.kinds else {
      return print(Recipe().yaml, terminator: "")
    }
    if options {
      let parts = kinds.map { "# \($0.about)\n\($0.defaults.yaml)" }
      return print(parts.joined(separator: "\n"), terminator: "")
    }
    var table = TextTable(["kind", "what"])
    for kind in kinds { table.append([kind.name, kind.about]) }
    print(table.text, terminator: "")
  }
}
