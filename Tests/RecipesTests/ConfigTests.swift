import Autograd
import Configuration
import Foundation
import Networks
import Objectives
import Optimizers
import Recipes
import Tensors
import TestSupport
import Testing
import Training

/// The committed configs: each loads, builds, and says of itself what is true.
@Suite struct ConfigTests {
  static let names = [
    "quickstart", "cifar10/supervised", "fashion-mnist/supervised", "tiny-imagenet/supervised",
    "imagenette/deit_tiny", "imagenet/deit_tiny", "imagenet/deit_small", "imagenet/deit_base",
  ]

  /// All others: the robust ones, which change a base config's objective and little else.
  static let robust: [String] = {
    let root = Fixtures.package.appendingPathComponent("Configs").path
    let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(".yaml".count)) }
      .filter { !names.contains($0) }.sorted()
  }()

  /// Each is a recipe whose objective fits its model, and whose batches fit both.
  @Test(arguments: robust) func aRobustConfigFitsItsModel(_ name: String) throws {
    let recipe = try recipe(name)
    #expect(recipe.about.contains("vitdist train --config Configs/\(name).yaml"))
    #expect(recipe.objective.kind != "supervised" || name == "cifar10/micro")
    let declarations = ParameterDeclarations()
    let model = recipe.model.value.build(in: declarations.root, pool: BufferPool())
    _ = try recipe.objective.value.makeLoss(in: declarations.root["objective"], for: model)
    try recipe.batch.check(for: model)
    let again = try Recipe(yaml: recipe.yaml)
    #expect(again == recipe)
  }

  @Test func everyObjectiveHasAConfigOnEveryDataSet() {
    for folder in ["cifar10", "imagenette", "imagenet"] {
      for name in ["ksparse", "pgd", "trades", "fast", "ksparse-pgd"] {
        #expect(Self.robust.contains("\(folder)/\(name)"))
      }
      #expect(Self.robust.contains { $0.hasPrefix("\(folder)/rspc") })
    }
  }

  private func recipe(_ name: String) throws -> Recipe {
    try Recipe(file: Fixtures.package.appendingPathComponent("Configs/\(name).yaml").path)
  }

  /// The numbers before a unit, e.g. of `0.52 GFLOP`.
  private func numbers(in text: String, before unit: Regex<Substring>) -> [Double] {
    let flat = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return flat.ranges(of: unit).compactMap { range in
      flat[..<range.lowerBound].split(separator: " ").last.flatMap { Double($0) }
    }
  }

  @Test(arguments: names) func itSaysItsCommand(_ name: String) throws {
    let about = try recipe(name).about
    #expect(about.contains("vitdist train --config Configs/\(name).yaml"))
    for heading in ["What:", "Command", "Expect:", "Arithmetic:"] {
      #expect(about.contains(heading), "\(heading) is missing")
    }
  }

  @Test(arguments: names) func itsModelHasTheStatedCost(_ name: String) throws {
    let recipe = try recipe(name)
    let model = recipe.model.value.build(in: ParameterDeclarations().root, pool: BufferPool())
    let products = Double(model.multiplyAdds)
    // Stated to three digits or fewer: half a unit of the last is 5 % at worst.
    for millions in numbers(in: recipe.about, before: /M multiply-adds/) {
      #expect(abs(products / 1e6 - millions) < 0.01 * millions, "\(products / 1e6) M")
    }
    for billions in numbers(in: recipe.about, before: /G multiply-adds/) {
      #expect(abs(products / 1e9 - billions) < 0.01 * billions, "\(products / 1e9) G")
    }
    let stated = numbers(in: recipe.about, before: /GFLOP(?!\/)/)
    #expect(recipe.about.contains("FLOP"), "the cost is not stated")
    for training in stated {
      #expect(abs(6 * products / 1e9 - training) < 0.05 * training, "\(6 * products / 1e9) GFLOP")
    }
  }

  /// Writing a config and reading it gives the same options, `extends` resolved.
  @Test(arguments: names) func itSurvivesWriting(_ name: String) throws {
    let recipe = try recipe(name)
    let again = try Recipe(yaml: recipe.yaml)
    #expect(again == recipe)
    #expect(again.canonical() == recipe.canonical())
  }

  @Test(arguments: names) func itsParametersAreLaidOutAndItsScheduleFits(_ name: String) throws {
    let recipe = try recipe(name)
    let declarations = ParameterDeclarations()
    let model = recipe.model.value.build(in: declarations.root, pool: BufferPool())
    #expect(declarations.layout.parameterCount > 100_000)
    #expect(model.description.mean.count == model.description.channels)
    let stepsPerEpoch = 10_000 / recipe.batch.size
    let run = RunLength(
      totalSteps: recipe.totalSteps(stepsPerEpoch: stepsPerEpoch), stepsPerEpoch: stepsPerEpoch,
      batchSize: recipe.batch.size)
    let (optimizer, schedule) = (recipe.optimizer.value, recipe.schedule.value)
    try schedule.check(base: optimizer.learningRate, run: run)
    let rates = (0..<run.totalSteps).map {
      schedule.learningRate(step: $0, base: optimizer.learningRate, run: run)
    }
    #expect(rates.allSatisfy { $0 > 0 && $0 <= optimizer.learningRate * 1.0001 })
    #expect(abs((rates.max() ?? 0) - optimizer.learningRate) < 0.01 * optimizer.learningRate)
  }

  /// Touvron et al., 2021, table 9.
  @Test func theOfficialRecipeIsDeiTs() throws {
    let recipe = try recipe("imagenet/deit_base")
    #expect(recipe.model.kind == "deit_base_patch16_224" && recipe.epochs == 300)
    #expect(recipe.batch.size == 1024 && recipe.average.decay == 0.99996)
    let options = try #require(recipe.model.value as? VisionTransformer)
    #expect(options.dropPath == 0.1 && options.classes == 1000)
    let adamw = try #require(recipe.optimizer.value as? AdamW)
    #expect(adamw.learningRate == 1e-3 && adamw.weightDecay == 0.05)
    let augmentation = recipe.data.augmentation
    #expect(augmentation.mixup.alpha == 0.8 && augmentation.cutmix.alpha == 1)
    #expect(augmentation.repeats == 3 && augmentation.randomErasing.probability == 0.25)
  }
}
