import ArgumentParser
import Attacks
import Configuration
import Training

/// Which attacks a trained model has to stand.
struct AttackSelection: ParsableArguments {
  @Option(
    help: .init(
      "An attack with its options, e.g. pgd:steps=50,epsilon=4/255; may be given several times.",
      valueName: "name[:key=value,...]"))
  var attack: [String] = []
  @Option(
    help: .init(
      "Attack only so many images, evenly spaced over the data set; 0 for all.",
      valueName: "images"))
  var attackSamples = 0
  @Option(help: .init("What the attacks' random draws depend on.", valueName: "number"))
  var seed = 0

  func options(chunk: Int) throws -> RobustEvaluationOptions {
    var options = RobustEvaluationOptions()
    options.attacks = try attack.map(Self.choice)
    for (name, value) in [("--attack-samples", attackSamples), ("--seed", seed)] where value < 0 {
      throw ConfigurationError(name, "is \(value)", remedy: "Give 0 or a positive integer")
    }
    if attackSamples > 0, attack.isEmpty {
      throw ConfigurationError(
        "--attack-samples", "no attack is named", remedy: "Add one, e.g. --attack pgd")
    }
    (options.samples, options.seed) = (attackSamples, seed)
    options.chunk = max(1, min(chunk, options.chunk))
    return options
  }

  /// `pgd:steps=50,epsilon=4/255` is what a config spells `{kind: pgd, steps: 50, epsilon: 4/255}`.
  static func choice(_ text: String) throws -> Choice<AttackCatalog> {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let settings =
      parts.count < 2
      ? [] : parts[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    var lines = ["kind: \(parts[0])"]
    for setting in settings {
      let pair = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty else {
        throw ConfigurationError(
          "", "\"\(setting)\" is not an option of an attack",
          remedy: "Write KEY=VALUE, e.g. --attack pgd:steps=50,epsilon=4/255",
          source: "--attack \(text)")
      }
      lines.append("\(pair[0]): \(pair[1])")
    }
    return try Choice<AttackCatalog>(
      yaml: lines.joined(separator: "\n"), name: "--attack \(text)")
  }
}
