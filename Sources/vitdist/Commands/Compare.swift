import Archives
import ArgumentParser
import Configuration
import Reports

struct Compare: LoneCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw one figure of several runs over their epochs, as SVG.",
    discussion: "Figures are the names in metrics.jsonl: attention.hoyer, validation.accuracy.")

  @Argument(help: "Output folders of runs; each may be followed by =NAME for the legend.")
  var runs: [String]
  @Option(help: "The figure to draw.") var figure = "attention.hoyer"
  @Option(help: .init("The SVG file to write.", valueName: "file")) var output: String

  func work() throws {
    let histories = try runs.map { run in
      let parts = run.split(separator: "=", maxSplits: 1).map(String.init)
      let history = try MetricsHistory(file: "\(parts[0])/metrics.jsonl")
      guard history.names.contains(figure) else {
        throw ConfigurationError(
          "--figure", "\(parts[0]) has no figure \(figure)",
          remedy: "Its figures are \(history.names.joined(separator: ", "))")
      }
      return (name: parts.count > 1 ? parts[1] : parts[0], history: history)
    }
    try DurableFile.write(compareRuns(histories, figure: figure), to: output)
    printError("wrote \(output)")
  }
}
