import Archives
import ArgumentParser
import Benchmarks
import Configuration
import Datasets
import Foundation
import Networks
import Optimizers
import Recipes
import Reports
import Tensors
import Training

struct Plan: RankedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Foretell a run: time, memory and traffic on any number of ranks.",
    discussion: """
      Times the parts of one step on this machine and puts them together for more ranks, nodes and \
      a network (alpha-beta). Start it with as many ranks as a node will have, e.g. \
      mpirun -n 32 vitdist plan: they share its memory as in the run. Without the data, give \
      --samples; preparing images is then left out. Attacks during evaluation are left out always.
      """)

  @Option(help: .init("The run's YAML file.", valueName: "file")) var config: String
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: .init("Change one key, as in train. May be given again.", valueName: "key=value"))
  var settings: [String] = []
  @Option(
    help: .init("Numbers of ranks; powers of two up to 1024 by default.", valueName: "list"))
  var ranks = ""
  @OptionGroup var cluster: ClusterOptions
  @Option(help: .init("Threads of each rank; by default the config's.", valueName: "threads"))
  var threads: Int?
  @Option(help: .init("Training images, where the data is not here.", valueName: "images"))
  var samples = 0
  @Option(help: .init("Timed steps of each kind, at least.", valueName: "steps")) var steps = 5
  @Option(
    help: .init("Draw the efficiency into this SVG file. None by default.", valueName: "file"))
  var output = ""
  @Flag(help: "Print JSON.") var json = false

  struct Report: Codable {
    var profile = StepProfile()
    var cluster = Cluster()
    var stepsPerEpoch = 0
    var totalSteps = 0
    var checkpointBytes = 0
    var checkpointSeconds = 0.0
    var estimates: [ScalingModel.Estimate] = []
  }

  func run(_ session: Session) throws {
    let recipe = try Recipe(
      file: config, overrides: settings + (threads.map { ["threads=\($0)"] } ?? []))
    let counts = try rankCounts(recipe.batch.virtualShards, here: session.communicator.size)
    let rehearsal = try Rehearsal(recipe, samples: samples)
    session.say(rehearsal.announcement)
    let profile = try rehearsal.profile(steps: steps, on: session.communicator)
    let node = cluster.cluster(profile, threads: recipe.threads)
    let model = ScalingModel(profile, node, rehearsal.run)
    var report = Report()
    (report.profile, report.cluster) = (profile, node)
    (report.stepsPerEpoch, report.totalSteps) =
      (rehearsal.run.stepsPerEpoch, rehearsal.run.totalSteps)
    (report.checkpointBytes, report.checkpointSeconds) =
      (model.checkpointBytes, model.checkpointSeconds)
    report.estimates = model.estimates(counts)
    if !output.isEmpty, session.communicator.isRoot {
      try DurableFile.write(report.chart.svg, to: output)
    }
    if json { return session.output(ValueTree(encoding: report).json) }
    session.output(
      report.text(virtualShards: recipe.batch.virtualShards, threads: recipe.threads))
  }

  private func rankCounts(_ most: Int, here: Int) throws -> [Int] {
    guard !ranks.isEmpty else {
      let powers = (0...10).map { 1 << $0 }
      return Set(powers + [here]).filter { $0 <= most }.sorted()
    }
    return try ranks.split(separator: ",").map { part in
      guard let count = Int(part), (1...most).contains(count) else {
        throw ConfigurationError(
          "--ranks", "\(part) is not a number of ranks that has work",
          remedy: "Give numbers from 1 to batch.virtualShards (\(most)), such as 1,2,4")
      }
      return count
    }
  }
}

/// The nodes and the network of a plan.
struct ClusterOptions: ParsableArguments {
  @Option(
    help: .init("Default: the ranks it runs on, or the cores of this machine.", valueName: "ranks"))
  var ranksPerNode = 0
  @Option(
    help: .init("Out of a node and into it, GB/s; 1.1 is 10 GbE.", valueName: "GB/s"))
  var bandwidth = 1.1
  @Option(help: .init("From node to node, microseconds.", valueName: "us")) var latency = 30.0
  @Option(
    help: .init("Standard deviation of a rank's compute time, as a part.", valueName: "part"))
  var spread = 0.02
  @Option(help: .init("Durable storage, MB/s over all ranks.", valueName: "MB/s"))
  var storage = 500.0

  func validate() throws {
    guard ranksPerNode >= 0, bandwidth > 0, latency >= 0, spread >= 0, storage > 0 else {
      throw ValidationError(
        "--bandwidth and --storage are positive, --ranks-per-node, --latency, --spread not below 0."
      )
    }
  }

  func cluster(_ profile: StepProfile, threads: Int) -> Cluster {
    var cluster = Cluster()
    let here = profile.ranks > 1 ? profile.ranks : max(1, profile.cores / threads)
    cluster.ranksPerNode = ranksPerNode > 0 ? ranksPerNode : here
    cluster.bandwidth = bandwidth * 1e9
    cluster.latency = latency * 1e-6
    cluster.spread = spread
    cluster.storage = storage * 1e6
    return cluster
  }
}

extension Plan.Report {
  /// The table that people read.
  func text(virtualShards: Int, threads: Int) -> String {
    let loads = profile.preparationSeconds
    let crowd = profile.ranks == 1 ? "" : ", \(figure(1000 * profile.imageSecondsAlone)) ms alone"
    var lines = [
      "measured on \(counted(profile.ranks, "rank")) of this machine at once: an image "
        + "\(figure(1000 * profile.imageSeconds)) ms\(crowd)"
        + (loads > 0 ? ", its preparation \(figure(1000 * loads)) ms" : "")
        + "; update \(figure(1000 * profile.updateSeconds)) ms"
        + (profile.ranks > 1 ? "; exchange \(figure(1000 * profile.exchangeSeconds)) ms" : ""),
      "assumed: \(cluster.ranksPerNode) ranks a node\(threads > 1 ? " of \(threads) threads" : ""), \(figure(cluster.bandwidth / 1e9)) GB/s and "
        + "\(figure(cluster.latency * 1e6)) us between nodes, compute times spread by "
        + "\(percent(cluster.spread)), storage of \(figure(cluster.storage / 1e6)) MB/s",
      "a checkpoint: \(mebibytes(checkpointBytes)), \(duration(checkpointSeconds)); "
        + "\(counted(stepsPerEpoch, "step")) an epoch, \(totalSteps) in all", "",
    ]
    lines.append(table)
    if virtualShards < 1024 {
      lines.append("at most \(virtualShards) ranks have work: batch.virtualShards")
    }
    return lines.joined(separator: "\n")
  }

  /// Against the number of ranks.
  var chart: LineChart {
    func curve(_ name: String, _ value: (ScalingModel.Estimate) -> Double) -> LineChart.Curve {
      LineChart.Curve(name, estimates.map { (x: log2(Double($0.ranks)), y: 100 * value($0)) })
    }
    return LineChart(
      title: "Speed of a rank among many against one alone", horizontal: "doublings of one rank",
      vertical: "%",
      curves: [
        curve("efficiency", \.efficiency), curve("waiting", \.communicationShare),
      ])
  }

  private var table: String {
    var table = TextTable([
      "ranks", "nodes", "memory", "step", "images/s", "efficiency", "waiting", "sent", "epoch",
      "run",
    ])
    for estimate in estimates {
      table.append([
        "\(estimate.ranks)", "\(estimate.nodes)", mebibytes(estimate.memoryBytes),
        duration(estimate.stepSeconds), figure(estimate.imagesPerSecond),
        percent(estimate.efficiency), percent(estimate.communicationShare),
        mebibytes(estimate.bytesSent), duration(estimate.epochSeconds),
        duration(estimate.runSeconds),
      ])
    }
    return table.text
  }
}
