import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// `evaluate --attack` as a user sees it.
  @Suite struct AttackTests {
    private func trained() throws -> SmallRun {
      let run = try SmallRun()
      let outcome = try Program.run(run.training("run", ["steps=40"]))
      try #require(outcome.status == 0, "\(outcome.errors)")
      return run
    }

    private func arguments(_ run: SmallRun, _ more: [String]) -> [String] {
      [
        "evaluate", "--weights", run.path("run/final.safetensors"), "--data",
        run.path("validation"),
      ] + more
    }

    /// What `--json -` printed, without the time that it took.
    private func scores(_ run: SmallRun, ranks: Int, _ more: [String]) throws -> [String: Any] {
      let outcome = try Program.run(arguments(run, ["--json", "-"] + more), ranks: ranks)
      try #require(outcome.status == 0, "\(outcome.errors)")
      let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
      var scores = try #require(object as? [String: Any])
      var robustness = try #require(scores["robustness"] as? [String: Any])
      scores["seconds"] = nil
      robustness["seconds"] = nil
      scores["robustness"] = robustness
      return scores
    }

    @Test(mpirunIsThere) func anyNumberOfRanksReportsTheSame() throws {
      let run = try trained()
      let attacks = [
        "--attack", "pgd:steps=4,epsilon=16/255", "--attack", "fgm:epsilon=0.7", "--attack",
        "noise", "--seed", "3",
      ]
      let alone = try scores(run, ranks: 0, attacks)
      let robustness = try #require(alone["robustness"] as? [String: Any])
      let reports = try #require(robustness["attacks"] as? [[String: Any]])
      let first = try #require(reports.first?["attack"] as? [String: Any])
      #expect(first["epsilon"] as? String == "16/255" && first["steps"] as? Int == 4)
      #expect(robustness["samples"] as? Int == 50 && reports.count == 3)
      for ranks in [1, 2, 3] {
        let other = try scores(run, ranks: ranks, attacks)
        #expect(NSDictionary(dictionary: other) == NSDictionary(dictionary: alone), "\(ranks)")
      }
    }

    @Test func peopleSeeATable() throws {
      let run = try trained()
      let outcome = try Program.run(
        arguments(run, ["--attack", "pgd", "--attack", "fgsm", "--attack-samples", "20"]))
      try #require(outcome.status == 0, "\(outcome.errors)")
      for words in ["clean accuracy", "20 images", "pgd", "8/255", "all attacks together leave"] {
        #expect(outcome.errors.contains(words), "'\(words)' is not in: \(outcome.errors)")
      }
      #expect(outcome.output.isEmpty)
    }

    @Test func attacksAreListed() throws {
      let outcome = try Program.run(["list", "attacks", "--options"])
      #expect(outcome.status == 0)
      for words in ["kind: pgd", "epsilon: 8/255", "kind: mi-fgsm", "stepSize: auto"] {
        #expect(outcome.output.contains(words))
      }
    }

    @Test(arguments: [
      ("pdg", ["pdg", "pgd"]), ("pgd:step=3", ["step", "steps"]),
      ("pgd:steps", ["KEY=VALUE"]), ("pgd:steps=0", ["steps", "0"]),
      ("pgd:epsilon=-1/255", ["epsilon", "-1/255"]), ("fgsm:epsilon=x", ["epsilon", "8/255"]),
    ])
    func badAttacksAreRefused(_ attack: String, _ words: [String]) throws {
      try refused(
        ["evaluate", "--weights", "w", "--data", "d", "--attack", attack], status: 64,
        naming: ["--attack \(attack)"] + words)
    }

    @Test func samplesWithoutAnAttackAreRefused() throws {
      try refused(
        ["evaluate", "--weights", "w", "--data", "d", "--attack-samples", "10"], status: 64,
        naming: ["--attack-samples", "--attack pgd"])
    }
  }
}
