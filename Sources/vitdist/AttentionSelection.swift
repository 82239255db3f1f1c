import ArgumentParser
import Configuration
import Networks
import Reports
import Training

/// What is looked at, or enforced, in the attention of a trained model.
struct AttentionSelection: ParsableArguments {
  @Option(
    help: .init(
      "Measure the attention of so many images: sparsity, tail, stability of every layer.",
      valueName: "images"))
  var attentionSamples = 0
  @Option(
    help: .init(
      "K of the mass outside the K largest: tokens, or a part of the row below 1.",
      valueName: "number"))
  var attentionK = 0.25
  @Option(
    help: .init(
      "Keep only so many entries of every attention row, or a part of it below 1; 0 for all.",
      valueName: "number"))
  var keepAttention = 0.0
  @Flag(help: "Let what is kept of a row sum to one again.")
  var renormalizeAttention = false

  func options() throws -> AttentionEvaluationOptions {
    var options = AttentionEvaluationOptions()
    (options.samples, options.k) = (attentionSamples, attentionK)
    return try options.validated()
  }

  /// The network with attention cut to what is to be kept.
  func applied(to network: Network) throws -> Network {
    guard keepAttention != 0 else { return network }
    guard keepAttention > 0, keepAttention < 1 || keepAttention == keepAttention.rounded() else {
      throw ConfigurationError(
        "--keep-attention", "is \(keepAttention)",
        remedy: "Give how many entries of a row to keep, or a part of it below 1")
    }
    return network.keepingAttention(keepAttention, renormalizing: renormalizeAttention)
  }
}

extension AttentionReport {
  /// The table that people read.
  var text: String {
    var table = TextTable(["attention layer", "Hoyer", "tail mass", "stability"])
    for (number, layer) in layers.enumerated() {
      table.append([
        "\(number)", figure(layer.hoyer), figure(layer.tail), figure(layer.stability),
      ])
    }
    return "attention of \(counted(samples, "image"))\n" + table.text
  }
}
