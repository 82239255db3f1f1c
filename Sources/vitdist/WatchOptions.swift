import ArgumentParser
import Collectives
import Training

/// How long a rank of a command without a config may be silent.
struct WatchOptions: ParsableArguments {
  @Option(
    help: .init(
      """
      Seconds after which a rank that makes no progress is named and the job ends, exit code 76; 0: \
      never. More than one pass of a chunk through the model takes.
      """, valueName: "seconds"))
  var watchdogLimit = WatchdogOptions().limitSeconds

  private var options: WatchdogOptions {
    var options = WatchdogOptions()
    options.limitSeconds = watchdogLimit
    return options
  }

  func validate() throws {
    guard (try? options.validate()) != nil else {
      throw ValidationError(
        "--watchdog-limit \(watchdogLimit): give 0, or from 1 to 1000000 seconds.")
    }
  }

  /// - Parameter output: of the command; the flight records go into a folder beside it.
  func watchdog(_ launch: Launch, besides output: String) -> Watchdog {
    Watchdog(
      launch, options, folder: output + ".flight", advice: .evaluation,
      fault: try? TrainingFault.fromEnvironment(), prepare: Failure.limitAlarm,
      end: Failure.endByWatchdog)
  }
}
