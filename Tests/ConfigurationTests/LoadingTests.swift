import Configuration
import Foundation
import Testing

@Suite struct LoadingTests {
  @Test func anEmptyTextGivesTheDefaults() throws {
    #expect(try Kitchen(yaml: "") == Kitchen())
    #expect(try Kitchen(yaml: "# only a comment\n") == Kitchen())
  }

  @Test func keysOverlayTheDefaultsOfTheParentNotOfTheType() throws {
    let kitchen = try Kitchen(yaml: "augmentation: {padding: 8}")
    #expect(kitchen.augmentation == Augmentation(flip: false, padding: 8))
  }

  @Test func theSameKindKeepsTheParentsOptionsAnotherBringsItsOwn() throws {
    let same = try Kitchen(yaml: "optimizer: {kind: adamw, weightDecay: 0}")
    #expect(same.optimizer == Choice(Adam(learningRate: 5e-4, weightDecay: 0)))
    let other = try Kitchen(yaml: "optimizer: {kind: sgd, momentum: 0.8}")
    #expect(other.optimizer == Choice(Momentum(learningRate: 0.1, momentum: 0.8)))
    #expect((other.optimizer.value as? Momentum)?.momentum == 0.8)
    #expect(try Kitchen(yaml: "optimizer: sgd").optimizer == Choice(.sgd))
  }

  @Test func aKindMayStandForDefaultsOfASharedType() throws {
    let kitchen = try Kitchen(yaml: "model: {kind: deit_small_patch16_224, depth: 3}")
    #expect(kitchen.model.kind == "deit_small_patch16_224")
    #expect(kitchen.model.value == Backbone(width: 384, depth: 3))
  }

  @Test(arguments: [
    "1e-3", "1.0e-3", "1E-3", "0.001", ".001", "1.e-3", "+1e-3", "10e-4",
  ])
  func numbersMayBeSpelledInAnyUsualWay(_ text: String) throws {
    let kitchen = try Kitchen(yaml: "optimizer: {learningRate: \(text)}")
    #expect(kitchen.optimizer == Choice(Adam(learningRate: 1e-3)))
  }

  @Test func wholeNumbersAndFractionsMixWhereNothingIsLost() throws {
    let kitchen = try Kitchen(
      yaml: "seed: 7.0\naugmentation: {padding: 1e1}\nmilestones: [1, 2.5]\nweights: {pgd: 2}")
    #expect(kitchen.seed == 7)
    #expect(kitchen.augmentation.padding == 10)
    #expect(kitchen.milestones == [1, 2.5])
    #expect(kitchen.weights == ["pgd": 2])
  }

  @Test func elementsOfListsAreCompletedByDefaults() throws {
    let kitchen = try Kitchen(yaml: "attacks: [{kind: sgd, momentum: 0.5}, adamw]")
    #expect(kitchen.attacks == [Choice(Momentum(momentum: 0.5)), Choice(.adamw)])
  }

  @Test func overridesWinAndTheirOrderDoesNotMatterToTheKind() throws {
    let kitchen = try Kitchen(
      yaml: "optimizer: {learningRate: 3}",
      overrides: [
        "optimizer.learningRate=1e-2", "optimizer.kind=sgd", "precision=bf16",
        "milestones=[1]", "batch={size: 64}",
      ])
    #expect(kitchen.optimizer == Choice(Momentum(learningRate: 0.01)))
    #expect(kitchen.precision == .bf16)
    #expect(kitchen.milestones == [1])
    #expect(kitchen.batch.size == 64)
    let short = try Kitchen(yaml: "", overrides: ["optimizer=sgd", "optimizer.momentum=0.7"])
    #expect(short.optimizer == Choice(Momentum(momentum: 0.7)))
  }

  @Test func theResolvedTextLoadsToTheSameValue() throws {
    var kitchen = Kitchen()
    kitchen.about = "line one\nline \"two\": # not a comment \u{1}é"
    kitchen.seed = 1 << 53
    kitchen.optimizer = Choice(Momentum(learningRate: 1e-300, momentum: 0.1 + 0.2))
    kitchen.attacks = [Choice(Adam(learningRate: 1e22, weightDecay: 0.1)), Choice(.sgd)]
    kitchen.weights = ["1": 1, "true": .infinity, "a b": 0]
    #expect(try Kitchen(yaml: kitchen.yaml) == kitchen)
    #expect(try Kitchen(yaml: kitchen.yaml).yaml == kitchen.yaml)
  }

  @Test func theResolvedTextKeepsTheOrderOfDeclaration() {
    #expect(
      Kitchen().yaml == """
        about: ""
        seed: 42
        model:
          kind: vit
          width: 192
          depth: 12
        augmentation:
          flip: false
          padding: 2
        optimizer:
          kind: adamw
          learningRate: 0.0005
          weightDecay: 0.05
        batch:
          size: 256
          virtualShards: 32
        precision: f32
        milestones: [0.5, 0.75]
        attacks: []
        weights:
          clean: 1.0

        """)
  }

  @Test func equalOptionsHaveOneCanonicalText() throws {
    let a = try Augmentation(yaml: "{padding: 2.0, flip: false}")
    #expect(a.canonical() == #"{"flip":false,"padding":2}"#)
    #expect(a.canonical(excluding: ["flip"]) == #"{"padding":2}"#)
    let described = try Kitchen(yaml: "about: something")
    #expect(described.canonical() != Kitchen().canonical())
    #expect(described.canonical(excluding: ["about"]) == Kitchen().canonical(excluding: ["about"]))
  }

  @Test func cataloguesListTheirKindsAndTellTheirDefects() {
    #expect(UpdatingCatalog.defects.isEmpty)
    #expect(BackboneCatalog.defects.isEmpty)
    let listing = CatalogListing(UpdatingCatalog.self)
    #expect(listing.kinds.map(\.name) == ["adamw", "sgd"])
    #expect(listing.kinds[1].about == "Stochastic gradient descent")
    #expect(listing.kinds[1].defaults.json == #"{"kind":"sgd","learningRate":0.1,"momentum":0.9}"#)
    #expect(
      BrokenCatalog.defects == [
        "thing kind \"sgd\" is declared twice", "thing kind \"Odd\" is not one lower-case word",
        "thing kind \"Odd\" needs a description of one line, at most 100 characters",
      ])
  }
}

private enum BrokenCatalog: Catalog {
  static let subject = "thing"
  static let entries: [CatalogEntry<any Updating>] = [
    .sgd, .sgd, CatalogEntry("Odd", about: "", defaults: Adam()) { $0 },
  ]
}

@Suite struct ExtendingTests {
  private func folder(_ files: [String: String]) throws -> String {
    let folder = NSTemporaryDirectory() + "vitdist-\(UUID().uuidString)"
    for (name, text) in files {
      let url = URL(fileURLWithPath: "\(folder)/\(name)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: url, atomically: true, encoding: .utf8)
    }
    return folder
  }

  @Test func aFileExtendsAnotherRelativeToItself() throws {
    let folder = try folder([
      "base/root.yaml": "seed: 1\noptimizer: {kind: sgd, momentum: 0.5}\nbatch: {size: 64}",
      "base/middle.yaml": "extends: root.yaml\noptimizer: {learningRate: 0.3}",
      "runs/run.yaml": "extends: ../base/middle.yaml\nbatch: {virtualShards: 8}",
    ])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let kitchen = try Kitchen(file: "\(folder)/runs/run.yaml", overrides: ["seed=9"])
    #expect(kitchen.seed == 9)
    #expect(kitchen.optimizer == Choice(Momentum(learningRate: 0.3, momentum: 0.5)))
    #expect(kitchen.batch == Batches(size: 64, virtualShards: 8))
  }

  @Test func circlesAndMissingFilesAreNamed() throws {
    let folder = try folder([
      "a.yaml": "seed: 1\nextends: b.yaml", "b.yaml": "extends: a.yaml",
      "c.yaml": "extends: nowhere.yaml",
    ])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(
      message { try Kitchen(file: "\(folder)/a.yaml") } == """
        \(folder)/b.yaml:1: extends: the files extend each other in a circle: \
        a.yaml -> b.yaml -> a.yaml. Remove one of the extends.
        """)
    #expect(
      message { try Kitchen(file: "\(folder)/c.yaml") } == """
        \(folder)/c.yaml:1: extends: cannot read the file \(folder)/nowhere.yaml. \
        Give the path of a YAML file.
        """)
  }
}

/// The text of the error that `body` throws; empty if it does not.
func message(_ body: () throws -> some Any) -> String {
  do {
    _ = try body()
    return ""
  } catch { return "\(error)" }
}
