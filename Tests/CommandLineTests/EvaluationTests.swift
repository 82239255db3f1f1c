import Archives
import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// `evaluate` and `predict` say the same of the same weights, and count every image once.
  @Suite struct EvaluationTests {
    private struct Scores: Decodable, Equatable {
      let samples: Int
      let accuracy, top5, loss: Double
    }

    private func trained() throws -> SmallRun {
      let run = try SmallRun()
      let outcome = try Program.run(run.training("run", ["steps=20"]))
      try #require(outcome.status == 0, "\(outcome.errors)")
      return run
    }

    private func evaluate(_ run: SmallRun, ranks: Int, _ source: [String]) throws -> Scores {
      let outcome = try Program.run(
        ["evaluate"] + source
          + ["--data", run.path("validation"), "--chunk", "7", "--json", run.path("scores.json")],
        ranks: ranks)
      try #require(outcome.status == 0, "\(outcome.errors)")
      let data = try Data(contentsOf: URL(fileURLWithPath: run.path("scores.json")))
      return try JSONDecoder().decode(Scores.self, from: data)
    }

    private func predict(_ run: SmallRun, ranks: Int) throws -> (logits: [Float], labels: [Int64]) {
      let output = run.path("predictions\(ranks).h5")
      let outcome = try Program.run(
        [
          "predict", "--weights", run.path("run/final.safetensors"), "--data",
          run.path("validation"), "--output", output, "--chunk", "7",
        ], ranks: ranks)
      try #require(outcome.status == 0, "\(outcome.errors)")
      let file = try HDF5File(reading: output)
      #expect(try file.dataset("logits").shape == [50, 10])
      return (try file.dataset("logits").read(), try file.dataset("labels").read())
    }

    /// Attention is measured with the same bits on any number of ranks, and can be cut.
    @Test func attentionIsMeasuredAndCut() throws {
      struct Report: Decodable, Equatable {
        struct Layer: Decodable, Equatable { let hoyer, tail, stability: Double }
        struct Attention: Decodable, Equatable { let layers: [Layer] }
        let attention: Attention
        let loss: Double
      }
      let run = try trained()
      func report(ranks: Int, _ options: [String]) throws -> Report {
        let outcome = try Program.run(
          [
            "evaluate", "--weights", run.path("run/final.safetensors"), "--data",
            run.path("validation"), "--attention-samples", "20", "--attention-k", "4", "--json",
            run.path("attention.json"),
          ] + options, ranks: ranks)
        try #require(outcome.status == 0, "\(outcome.errors)")
        let data = try Data(contentsOf: URL(fileURLWithPath: run.path("attention.json")))
        return try JSONDecoder().decode(Report.self, from: data)
      }
      let whole = try report(ranks: 0, [])
      #expect(whole.attention.layers.count == 2)
      for layer in whole.attention.layers {
        #expect((0...1).contains(layer.hoyer) && layer.tail > 0 && layer.stability > 0.5)
      }
      #expect(try report(ranks: 3, []) == whole)
      let cut = try report(ranks: 0, ["--keep-attention", "4", "--renormalize-attention"])
      #expect(cut.attention.layers.allSatisfy { $0.tail == 0 })
      #expect(cut.loss != whole.loss)
      let refused = try Program.run(
        [
          "evaluate", "--weights", run.path("run/final.safetensors"), "--data",
          run.path("validation"), "--keep-attention", "-2",
        ])
      #expect(refused.status == 64 && refused.errors.contains("--keep-attention"))
    }

    @Test func predictionsAndScoresAgree() throws {
      let run = try trained()
      let scores = try evaluate(run, ranks: 0, ["--weights", run.path("run/final.safetensors")])
      #expect(scores.samples == 50)
      let (logits, labels) = try predict(run, ranks: 0)
      var (hits, five, loss) = (0, 0, 0.0)
      for (row, label) in labels.enumerated() {
        let z = logits[row * 10..<row * 10 + 10].map(Double.init)
        let own = z[Int(label)]
        let rank = z.filter { $0 > own }.count
        hits += rank < 1 ? 1 : 0
        five += rank < 5 ? 1 : 0
        loss += log(z.reduce(0) { $0 + exp($1) }) - own
      }
      #expect(scores.accuracy == Double(hits) / 50 && scores.top5 == Double(five) / 50)
      #expect(abs(scores.loss - loss / 50) < 1e-9)
    }

    /// The run keeps an average of the weights: that is exported, and judged from a checkpoint too.
    @Test func checkpointAndExportScoreAlike() throws {
      let run = try trained()
      let exported = try evaluate(run, ranks: 0, ["--weights", run.path("run/final.safetensors")])
      let saved = try evaluate(run, ranks: 0, ["--checkpoint", run.path("run/checkpoints")])
      #expect(exported == saved)
    }

    @Test(mpirunIsThere) func anyNumberOfRanksCountsEveryImageOnce() throws {
      let run = try trained()
      let weights = ["--weights", run.path("run/final.safetensors")]
      let alone = try evaluate(run, ranks: 0, weights)
      let predictions = try predict(run, ranks: 0)
      for ranks in [1, 2, 3] {
        #expect(try evaluate(run, ranks: ranks, weights) == alone, "\(ranks) ranks")
        let found = try predict(run, ranks: ranks)
        #expect(found.labels == predictions.labels && found.logits == predictions.logits)
      }
    }
  }
}
