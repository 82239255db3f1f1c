import Foundation
import Reports
import Testing

@Suite struct ReportsTests {
  @Test func tablesAlignWordsLeftAndNumbersRight() {
    var table = TextTable(["model", "top-1", "note"])
    table.append(["vit", "87.1 %", ""])
    table.append(["deit_tiny", "9 %", "JPEG copy"])
    #expect(
      table.text == """
        model       top-1  note
        ---------  ------  ---------
        vit        87.1 %
        deit_tiny     9 %  JPEG copy

        """)
  }

  private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "vitdist-\(UUID().uuidString).jsonl"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  private let run = """
    {"step":1,"epoch":0.5,"loss":2.5,"imagesPerSecond":100,"lossBits":"0x40200000"}
    {"step":2,"epoch":1,"loss":1.0,"imagesPerSecond":120,"validation":{"loss":1.5,"top1":0.25}}
    {"step":3,"epoch":1.5,"loss":null,"imagesPerSecond":110,"resumed":true}
    {"step":4,"epoch":2,"loss":1.25,"imagesPerSecond":90,"validation":{"loss":1.75,"top1":0.5}}

    """

  @Test func historiesFlattenNumbersAndPassOverAHalfLine() throws {
    try withFile(run + "{\"step\":5,\"lo") { path in
      let history = try MetricsHistory(file: path)
      #expect(history.records.count == 4)
      #expect(
        history.names == [
          "epoch", "imagesPerSecond", "loss", "step", "validation.loss", "validation.top1",
        ])
      let points = history.points("loss", against: "epoch")
      #expect(points.map(\.x) == [0.5, 1, 2])
      #expect(points.map(\.y) == [2.5, 1, 1.25])
    }
    try withFile("{\"step\":1}\nnonsense\n") { path in
      #expect {
        try MetricsHistory(file: path)
      } throws: {
        "\($0)" == """
          \(path): line 2 is not a JSON object. Give the metrics.jsonl of a run.
          """
      }
    }
    #expect {
      try renderCurves(metricsFile: "/nowhere.jsonl")
    } throws: {
      "\($0)" == "/nowhere.jsonl: cannot read the file. Give the metrics.jsonl of a run."
    }
  }

  @Test func aSummaryNamesLastAndBest() throws {
    try withFile(run) { path in
      let text = summary(try MetricsHistory(file: path))
      #expect(
        text == """
          Recorded 4 lines, up to step 4 (epoch 2.00).
          Speed: 110.0 images a second (median of the lines).

          metric              last    best  best at epoch
          ----------------  ------  ------  -------------
          training loss     1.2500  1.0000              1
          validation loss   1.7500  1.5000              1
          validation top-1  0.5000  0.5000              2

          """)
    }
    #expect(summary(MetricsHistory(records: [])) == "No steps are recorded.\n")
  }

  @Test func curvesLieWhereTheNumbersSay() throws {
    try withFile(run) { path in
      let svg = try renderCurves(metricsFile: path)
      // Plot: x 64 ... 544 for epochs 0.4 ... 2, y 332 ... 66 for losses 1 ... 2.5.
      #expect(svg.contains("<path d=\"M94 66L244 332L544 287.67\" stroke=\"#0072B2\""), "\(svg)")
      #expect(svg.contains(">training loss</text>") && svg.contains(">validation top-1</text>"))
      #expect(svg.contains(">0.4</text>") && svg.contains(">2.5</text>"))
      #expect(try isWellFormed(svg))
    }
  }

  @Test func oddHistoriesStillDraw() throws {
    let long = (1...20_000).map {
      ["step": Double($0 * 1000), "loss": $0 == 9 ? 1e6 : 1 + sin(Double($0))]
    }
    let histories: [[MetricsHistory.Record]] = [
      [], [["epoch": 1, "loss": 2]], [["step": 1, "loss": 0], ["step": 2, "loss": 0]], long,
      [["epoch": 1, "a<b>&\"loss": 1e-9], ["epoch": 2, "a<b>&\"loss": 2e-9]],
      [["epoch": 1, "loss": 1e300], ["epoch": 2, "loss": -1e300]],
      [["epoch": .nan, "loss": 1], ["epoch": 2, "loss": .infinity]],
    ]
    for records in histories {
      let svg = renderCurves(MetricsHistory(records: records))
      #expect(try isWellFormed(svg))
      #expect(!svg.contains("nan") && !svg.contains("inf"))
      // A picture, not a dump: thousands of points are thinned.
      #expect(svg.utf8.count < 60_000)
    }
    let svg = renderCurves(MetricsHistory(records: long))
    #expect(svg.contains(">20000k</text>"))
    #expect(svg.contains(">2.0</text>"), "one wild value must not set the scale")
  }

  private func isWellFormed(_ svg: String) throws -> Bool {
    let tags = try Regex("<(/?)([a-zA-Z]+)[^<>]*?(/?)>")
    var open: [Substring] = []
    for match in svg.matches(of: tags) {
      let name = match.output[2].substring ?? ""
      if match.output[1].substring == "/" {
        guard open.popLast() == name else { return false }
      } else if match.output[3].substring != "/" {
        open.append(name)
      }
    }
    return open.isEmpty && svg.hasPrefix("<svg ") && !svg.contains("& ")
  }

  /// Layers in their order, attacks by their own names, and several runs on one pair of axes.
  @Test func robustRunsHavePanelsOfTheirOwn() {
    func history(_ lift: Double) -> MetricsHistory {
      MetricsHistory(
        records: (1...3).map { epoch in
          [
            "epoch": Double(epoch), "loss": 1, "validation.pgd@4/255.accuracy": 0.25,
            "attention.hoyer": 0.4 + lift, "attention.hoyer.0": 0.2, "attention.hoyer.2": 0.3,
            "attention.hoyer.10": 0.4, "attention.stability.0": 0.9,
          ]
        })
    }
    let picture = renderCurves(history(0))
    #expect(picture.contains("Sparsity of attention") && picture.contains("kept under occlusion"))
    #expect(picture.contains(">pgd@4/255<"))
    let places = [">0</text>", ">2</text>", ">10</text>"].map { name in
      picture.components(separatedBy: "Sparsity of attention")[1].range(of: name)?.lowerBound
    }
    #expect(places[0]! < places[1]! && places[1]! < places[2]!)
    let both = compareRuns(
      [("ViT", history(0)), ("KSA-ViT", history(0.2))], figure: "attention.hoyer")
    #expect(both.contains(">ViT<") && both.contains(">KSA-ViT<"))
    #expect(both.components(separatedBy: "stroke-width=\"2\"").count == 3)
  }
}
