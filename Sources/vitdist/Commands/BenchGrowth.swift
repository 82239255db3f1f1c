import Archives
import ArgumentParser
import Benchmarks
import Configuration
import Foundation
import Reports
import Tensors

extension Bench {
  struct Growth: LoneCommand {
    static let configuration = CommandConfiguration(
      abstract: "How a step's cost grows with batch, tokens, width and depth.")
    @Option(help: .init("Number format of products.", valueName: "format"))
    var precision = Precision.f32
    @Option(
      help: .init("Timed steps of every size, of which the fastest counts.", valueName: "steps"))
    var steps = 3
    @Option(
      help: .init("Draw the rates into this SVG file. None by default.", valueName: "file"))
    var output = ""
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
      guard steps > 0 else { throw ValidationError("--steps is positive.") }
    }

    func work() throws {
      var benchmark = GrowthBenchmark()
      (benchmark.precision, benchmark.steps) = (precision, steps)
      let points = try benchmark.run {
        printError("\($0.quantity.rawValue) \($0.value): \(figure($0.milliseconds)) ms an image")
      }
      if !output.isEmpty { try DurableFile.write(chart(points).svg, to: output) }
      if json { return print(ValueTree(encoding: points).json) }
      var table = TextTable(["", "", "GFLOP an image", "ms an image", "GFLOP/s", "of products"])
      for point in points {
        table.append([
          point.quantity.rawValue, "\(point.value)", figure(point.gigaOperations),
          figure(point.milliseconds), figure(point.rate),
          percent(point.rate / point.productRate),
        ])
      }
      print(table.text)
    }

    /// Rates against size, so that a cost that grows faster than the work is a line that falls.
    private func chart(_ points: [GrowthBenchmark.Point]) -> LineChart {
      let curves = GrowthBenchmark.Quantity.allCases.map { quantity in
        let series = points.filter { $0.quantity == quantity }
        let first = series.first?.value ?? 1
        return LineChart.Curve(
          quantity.rawValue,
          series.map { (x: log2(Double($0.value) / Double(first)), y: $0.rate) })
      }
      let products = points.map(\.productRate).sorted()[points.count / 2]
      let widest = curves.flatMap { $0.points.map(\.x) }.max() ?? 1
      return LineChart(
        title: "Rate of a training step, \(precision.rawValue), one core",
        horizontal: "doublings of the smallest size", vertical: "GFLOP/s",
        curves: curves
          + [.init("matrix products", [(x: 0, y: products), (x: widest, y: products)])])
    }
  }
}
