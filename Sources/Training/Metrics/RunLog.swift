import Configuration

/// Everything a run says while it trains, on rank 0: metrics.jsonl, TensorBoard, the progress bar.
public final class RunLog {
  private let metrics: MetricsLog
  private let events: EventFile
  private var bar: ProgressBar
  /// Images a second over the last dozen steps: the bar's figure would flicker otherwise.
  private var pace = 0.0
  private var spikes: LossSpikes
  private let plan: TrainingPlan

  public init(
    _ folder: RunFolder, plan: TrainingPlan, resumingAfter step: Int,
    spikes: LossSpikeOptions = LossSpikeOptions()
  ) throws {
    metrics = try MetricsLog(path: folder.metrics, resumingAfter: step)
    self.spikes = LossSpikes(spikes)
    for loss in metrics.losses.suffix(spikes.window) { _ = self.spikes.score(loss) }
    events = try EventFile(folder: folder.tensorBoard, resumingAfter: step)
    bar = ProgressBar()
    self.plan = plan
  }

  /// One step.
  ///
  /// - Parameter times: every rank's, at steps where they are known.
  public func record(_ report: StepReport, _ times: RankTimes? = nil) throws {
    let rate = Double(report.samples) / report.seconds
    pace = pace == 0 ? rate : 1 / (0.92 / pace + 0.08 / rate)
    let epoch = Double(report.step) / Double(plan.stepsPerEpoch)
    var fields = ValueTree.Mapping()
    fields["epoch"] = .init(.number(epoch))
    fields["samples"] = .init(.integer(plan.samples(before: report.step)))
    fields["loss"] = .init(.number(report.loss))
    fields["lossBits"] = .init(.string(hexadecimalBits(report.loss)))
    fields["lr"] = .init(.number(report.learningRate))
    fields["gradNorm"] = .init(.number(report.gradientNorm))
    fields["imagesPerSecond"] = .init(.number(rate))
    fields["dataSeconds"] = .init(.number(report.dataSeconds))
    fields["reduceSeconds"] = .init(.number(report.reduceSeconds))
    for (name, value) in report.figures { fields["objective.\(name)"] = .init(.number(value)) }
    if let finding = report.nonFinite {
      fields["skipped"] = .init(.bool(true))
      fields["nonFinite.tensor"] = .init(.string(finding.tensor))
      fields["nonFinite.shard"] = .init(.integer(finding.shard))
    }
    let spike = report.skipped ? nil : spikes.score(report.loss)
    if let spike { fields["lossSpike"] = .init(.number(spike)) }
    if let times { add(times, to: &fields) }
    try metrics.write(step: report.step, fields)
    try events.write(
      step: report.step,
      [
        ("train/loss", Float(report.loss)), ("train/learningRate", Float(report.learningRate)),
        ("train/gradNorm", Float(report.gradientNorm)), ("train/imagesPerSecond", Float(rate)),
        ("train/dataSeconds", Float(report.dataSeconds)),
      ] + report.figures.map { ("objective/\($0.name)", Float($0.value)) })
    bar.update(
      Progress(
        step: report.step, totalSteps: plan.totalSteps, epoch: epoch,
        epochs: Double(plan.totalSteps) / Double(plan.stepsPerEpoch), loss: report.loss,
        learningRate: report.learningRate, imagesPerSecond: pace))
    if let finding = report.nonFinite {
      bar.note("step \(report.step) was skipped: \(finding.text) is not finite")
    }
    if let spike {
      bar.note(
        "step \(report.step): loss \(shortened(report.loss)) is a spike, \(shortened(spike)) robust "
          + "deviations above the median of the steps before")
    }
  }

  private func add(_ times: RankTimes, to fields: inout ValueTree.Mapping) {
    fields["ranks.imbalance"] = .init(.number(times.imbalance))
    fields["ranks.slowest"] = .init(.integer(times.slowest))
    // Of more ranks the lines would outgrow all others.
    guard times.compute.count <= 64 else { return }
    for (name, values) in [
      ("compute", times.compute), ("data", times.data), ("wait", times.wait),
    ] {
      fields["ranks.\(name)Seconds"] = .init(.list(values.map { ValueTree(.number($0)) }))
    }
  }

  /// How the weights after `step` steps were judged.
  public func record(_ judgement: Judgement, step: Int) throws {
    let (scores, figures) = (judgement.scores, judgement.figures)
    let epoch = Double(step) / Double(plan.stepsPerEpoch)
    var fields = ValueTree.Mapping()
    fields["epoch"] = .init(.number(epoch))
    for (name, value) in figures { fields[name] = .init(.number(value)) }
    fields["validation.samples"] = .init(.integer(scores.samples))
    fields["validation.seconds"] = .init(.number(scores.seconds))
    try metrics.write(step: step, fields)
    try events.write(
      step: step,
      figures.map { name, value in
        // TensorBoard groups by what stands before a slash.
        (name.replacing(".", with: "/", maxReplacements: 1), Float(value))
      })
    let attacked = judgement.robust.attacks.map {
      ", \(shortened(100 * $0.robustAccuracy.value)) % under \($0.attack.value.name)"
    }
    bar.note(
      "epoch \(shortened(epoch)): validation accuracy \(shortened(100 * scores.accuracy)) %, "
        + "loss \(shortened(scores.loss)) on \(scores.samples) images" + attacked.joined()
        + (judgement.attention.layers.isEmpty
          ? "" : ", Hoyer \(shortened(judgement.attention.hoyer))"))
  }

  public func note(_ text: String) { bar.note(text) }
  public func finish() { bar.finish() }
}

/// Three decimals at most.
private func shortened(_ value: Double) -> String {
  let rounded = (value * 1000).rounded() / 1000
  return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
}
