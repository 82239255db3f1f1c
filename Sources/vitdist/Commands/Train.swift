import ArgumentParser
import Recipes
import Training

struct Train: RankedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model as a config file says.",
    discussion: """
      Started alone it runs on one rank; under mpirun or srun on all of them, with the same bits.
      A run that is started again in its output folder goes on where its newest checkpoint stands.
      SIGUSR1, SIGUSR2, SIGTERM and SIGINT ask it to save and stop (exit code 75).
      """)

  @Option(help: "The run's YAML file.") var config: String
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: "Change one key, e.g. --set optimizer.learningRate=5e-4.")
  var settings: [String] = []
  @Option(help: "Folder for checkpoints, metrics and weights.") var output = "run"
  @Option(help: "auto: go on in the output folder; none: begin anew; or a checkpoint's folder.")
  var resume = "auto"
  @Flag(help: "Begin over another run, or go on though data or batch differ.") var force = false

  func run(_ session: Session) throws {
    let recipe = try Recipe(file: config, overrides: settings)
    StopRequest.install()
    let run = TrainingRun(
      recipe, output: output, communicator: session.communicator, version: Vitdist.version,
      say: session.say)
    let summary = try run.run(resume: origin, force: force)
    session.say(report(summary, run.folder))
  }

  private var origin: TrainingRun.Resume {
    switch resume {
    case "auto": .automatic
    case "none": .never
    default: .from(resume)
    }
  }

  private func report(_ summary: TrainingRun.Summary, _ folder: RunFolder) -> String {
    let score =
      summary.hasValidation
      ? "validation accuracy \(percent(summary.validation.accuracy)) on "
        + "\(summary.validation.samples) images, " : ""
    return "done: \(summary.steps) steps, \(score)\(Int(summary.seconds)) s; "
      + "weights in \(folder.weights), figures in \(folder.summary)"
  }
}

/// `93.27 %`
func percent(_ part: Double) -> String {
  let hundredths = Int((part * 10_000).rounded())
  let fraction = hundredths % 100
  return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) %"
}
