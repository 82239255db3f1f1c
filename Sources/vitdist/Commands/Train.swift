import Archives
import ArgumentParser
import Collectives
import Recipes
import Reports
import Training

struct Train: RankedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model as a config file says.",
    discussion: """
      Started alone it runs on one rank; under mpirun or srun on all of them, with the same bits. \
      Started again in its output folder, on any number of ranks, it goes on from the newest sound \
      checkpoint; a run that is complete is left as it is, and a config that differs is refused.

      SIGUSR1, SIGUSR2, SIGTERM and SIGINT ask it to save and stop (exit code 75); it does so by \
      itself while there is still time before the deadline. A rank that stands still for \
      watchdog.limitSeconds is named, and the job ends with exit code 76.

      The output folder gets config.yaml (resolved), metrics.jsonl, tensorboard/, checkpoints/, and \
      at the end final.safetensors, summary.json and curves.svg.
      """)

  @Option(help: .init("The run's YAML file.", valueName: "file")) var config: String
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: .init(
      "Change one key, e.g. --set optimizer.learningRate=5e-4. May be given again.",
      valueName: "key=value"))
  var settings: [String] = []
  @Option(help: .init("The run's folder.", valueName: "folder")) var output = "run"
  @Option(
    help: .init(
      "auto: go on in the output folder; none: begin anew; or a checkpoint's folder to start from.",
      valueName: "auto|none|folder"))
  var resume = "auto"
  @Option(
    help: .init(
      """
      When the machine is taken away: a time from now such as 11h30m, or seconds since 1970. By \
      default what SLURM says of the job's end.
      """, valueName: "time"))
  var deadline = ""
  @Option(
    help: .init(
      """
      How virtual shards are dealt to the ranks: even, auto (by measured speed) or the number of every \
      rank, such as 20,12. Changes no bits. By default what the config says.
      """, valueName: "even|auto|list"))
  var balance = ""
  @Option(
    help: .init(
      """
      Threads of each rank, which compute as many of its virtual shards at the same time over one copy \
      of the weights. Changes no bits. By default what the config says.
      """, valueName: "threads"))
  var threads: Int?
  @Flag(
    help: """
      With --resume none, delete the folder's checkpoints; otherwise go on though config or data \
      differ.
      """)
  var force = false

  func run(_ session: Session) throws {
    let recipe = try recipe()
    let fault = try TrainingFault.fromEnvironment()
    StopRequest.install(isLaunched: Launch().isParallel)
    let run = TrainingRun(
      recipe, output: output, communicator: session.communicator, version: Vitdist.version,
      deadline: try Deadline(deadline, endOfJob: Launch.environment("SLURM_JOB_END_TIME")),
      storage: try Storage.fromEnvironment(rank: session.communicator.rank),
      marks: session.watchdog?.marks ?? .none, fault: fault, say: session.say)
    switch try run.run(resume: origin, force: force) {
    case .trained(let summary):
      if session.communicator.isRoot {
        let curves = try renderCurves(metricsFile: run.folder.metrics)
        try DurableFile.write(curves, to: run.folder.curves)
      }
      session.say(report(summary, run.folder))
    case .wasComplete(let summary):
      session.say(
        "nothing to do: \(run.folder.path) holds a complete run, "
          + "\(counted(summary.steps, "step"))\(score(summary)); weights in \(run.folder.weights). "
          + "Give another --output for a new run.")
    }
  }

  private func recipe() throws -> Recipe {
    try Recipe(
      file: config,
      overrides: settings + (balance.isEmpty ? [] : ["balance=\"\(balance)\""])
        + (threads.map { ["threads=\($0)"] } ?? []))
  }

  /// A config or fault that is wrong is refused later, by all ranks together.
  func watchdog(_ launch: Launch) -> Watchdog? {
    Watchdog(
      launch, (try? recipe())?.watchdog ?? WatchdogOptions(), folder: RunFolder(output).flight,
      fault: try? TrainingFault.fromEnvironment(), prepare: Failure.limitAlarm,
      end: Failure.endByWatchdog)
  }

  private var origin: TrainingRun.Resume {
    switch resume {
    case "auto": .automatic
    case "none": .never
    default: .from(resume)
    }
  }

  private func score(_ summary: TrainingRun.Summary) -> String {
    guard summary.hasValidation else { return "" }
    return ", validation accuracy \(percent(summary.validation.accuracy)) on "
      + "\(summary.validation.samples) images"
  }

  private func report(_ summary: TrainingRun.Summary, _ folder: RunFolder) -> String {
    """
    done: \(counted(summary.steps, "step"))\(score(summary)), in \(duration(summary.seconds))
      weights  \(folder.weights)
      curves   \(folder.curves)
      figures  \(folder.summary), \(folder.metrics)
    """
  }
}
