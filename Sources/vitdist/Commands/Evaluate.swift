import Archives
import ArgumentParser
import Attacks
import Collectives
import Configuration
import Networks
import Recipes
import Tensors
import Training

struct Evaluate: RankedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Score trained weights on a data set: accuracy, top-5, cross-entropy, robustness.",
    discussion: """
      Every image is counted once; the scores have the same bits on any number of ranks. Attacks \
      (vitdist list attacks) are tried on the images that the model gets right; several also give \
      the accuracy that all of them together leave.
      """)

  @OptionGroup var source: ModelOptions
  @OptionGroup var images: DataSelection
  @OptionGroup var attacks: AttackSelection
  @OptionGroup var attention: AttentionSelection
  @Option(
    help: .init(
      "Write the scores to this file as JSON; - for standard output. None by default.",
      valueName: "file"))
  var json = ""
  @OptionGroup var watch: WatchOptions

  func watchdog(_ launch: Launch) -> Watchdog? {
    watch.watchdog(launch, besides: json.isEmpty || json == "-" ? "evaluate" : json)
  }

  func run(_ session: Session) throws {
    session.watchdog?.marks(.prepare)
    let pool = BufferPool()
    let robustness = try attacks.options(chunk: images.chunk)
    let look = try attention.options()
    let network = try attention.applied(to: try source.network(pool: pool))
    var inference = Inference(source, images, network)
    inference.marks = session.watchdog?.marks ?? .none
    let result = try inference.evaluate(on: session.communicator, pool: pool)
    session.say(
      "accuracy \(percent(result.accuracy)), top-5 \(percent(result.top5)), loss "
        + "\(figure(result.loss)) on \(counted(result.samples, "image")) in "
        + duration(result.seconds)
        + (result.skipped > 0 ? "; \(result.skipped) corrupt images left out" : ""))
    var scores = ValueTree(encoding: result)
    if !robustness.attacks.isEmpty {
      let report = try attack(inference, robustness, session, pool)
      session.say(report.text)
      scores = scores.adding(ValueTree(encoding: report), as: "robustness")
    }
    if look.samples > 0 {
      let report = try inference.attention(look, on: session.communicator, pool: pool)
      session.say(report.text)
      scores = scores.adding(ValueTree(encoding: report), as: "attention")
    }
    if json == "-" {
      session.output(scores.json)
    } else if !json.isEmpty, session.communicator.isRoot {
      try DurableFile.write(scores.json + "\n", to: json)
    }
  }

  private func attack(
    _ inference: Inference, _ options: RobustEvaluationOptions, _ session: Session,
    _ pool: BufferPool
  ) throws -> RobustReport {
    let progress = CountProgress("attacked")
    defer { progress.finish() }
    return try inference.attack(options, on: session.communicator, pool: pool) { done, total in
      if session.communicator.isRoot { progress.update(min(done, total), of: total) }
    }
  }
}

extension ValueTree {
  /// The same mapping with one more entry at its end.
  fileprivate func adding(_ value: ValueTree, as key: String) -> ValueTree {
    var mapping = mapping ?? .init()
    mapping[key] = value
    return ValueTree(.mapping(mapping))
  }
}
