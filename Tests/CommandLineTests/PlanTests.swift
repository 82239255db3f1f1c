import Foundation
import TestSupport
import Testing

extension ProgramTests {
  @Suite struct PlanTests {
    private struct Report: Decodable {
      struct Profile: Decodable { let parameters, ranks: Int }
      struct Estimate: Decodable {
        let ranks, nodes, shards, memoryBytes: Int
        let stepSeconds, imagesPerSecond, efficiency: Double
      }
      let profile: Profile
      let stepsPerEpoch, totalSteps, checkpointBytes: Int
      let estimates: [Estimate]
    }

    private func plan(_ run: SmallRun, _ arguments: [String], ranks: Int = 0) throws -> Report {
      let outcome = try Program.run(
        ["plan", "--config", run.path("config.yaml"), "--steps", "2", "--json"] + arguments,
        ranks: ranks)
      try #require(outcome.status == 0, "\(outcome.errors)")
      return try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
    }

    @Test func aRunIsForetold() throws {
      let run = try SmallRun()
      let report = try plan(run, [], ranks: Program.mpirun == nil ? 0 : 2)
      // 330 images of three repeats in batches of 64.
      #expect(report.stepsPerEpoch == 6 && report.totalSteps == 60)
      #expect(report.estimates.map(\.ranks) == [1, 2, 4, 8, 16, 32])
      #expect(report.estimates.map(\.shards) == [32, 16, 8, 4, 2, 1])
      for estimate in report.estimates {
        #expect(estimate.stepSeconds > 0 && estimate.memoryBytes > 1 << 20)
        #expect(abs(estimate.imagesPerSecond * estimate.stepSeconds - 64) < 1e-6)
      }
      // Weights, two moments, an average.
      #expect(report.checkpointBytes >= 4 * 4 * report.profile.parameters)
      let files = try FileManager.default.contentsOfDirectory(atPath: run.folder.path)
      #expect(Set(files) == ["train", "validation", "config.yaml"], "a plan left files")
    }

    @Test func aPlanNeedsNoData() throws {
      let run = try SmallRun()
      let report = try plan(
        run,
        [
          "--set", "data.train=/nowhere", "--samples", "1280000", "--ranks", "3,1", "--output",
          run.path("plan.svg"),
        ])
      #expect(report.stepsPerEpoch == 20000)
      #expect(report.estimates.map(\.ranks) == [3, 1])
      let chart = try String(contentsOfFile: run.path("plan.svg"), encoding: .utf8)
      #expect(chart.hasPrefix("<svg") && chart.contains(">efficiency<"))
    }

    @Test(arguments: [
      (["--ranks", "33"], "virtualShards (32)"), (["--ranks", "two"], "not a number of ranks"),
      (["--set", "data.train=''"], "--samples"), (["--bandwidth", "0"], "positive"),
    ]) func whatCannotBeIsRefused(_ arguments: [String], _ words: String) throws {
      let run = try SmallRun()
      try refused(
        ["plan", "--config", run.path("config.yaml")] + arguments, status: 64, naming: [words])
    }
  }
}
