import Configuration
import Optimizers
import Testing

@Suite struct ScheduleTests {
  private func close(_ a: Double, _ b: Double, _ relative: Double = 1e-14) -> Bool {
    abs(a - b) <= relative * abs(b)
  }

  /// DeiT's recipe: 300 epochs of 1251 steps, batch 1024, base rate 5e-4 per 512.
  private let deit = RunLength(totalSteps: 300 * 1251, stepsPerEpoch: 1251, batchSize: 1024)

  @Test func theLaggedModeGivesTheRatesThatDeiTUsed() {
    var schedule = WarmupSchedule<CosineDecay>()
    schedule.warmupEpochs = 5
    schedule.mode = .deitEpochLagged
    schedule.scaling = .linear
    let rates = [0, 1, 2, 3, 4, 5, 6, 101, 151, 299].map {
      schedule.learningRate(step: $0 * 1251, base: 5e-4, run: deit)
    }
    // lr(t) of epochs 0, 0, 1, 2, 3, 4, 5, 100, 150, 298; four digits where the source has four.
    #expect(rates[0] == 1e-6)
    #expect(rates[1] == 1e-6)
    #expect(close(rates[2], 2.008e-4))
    #expect(close(rates[3], 4.006e-4))
    #expect(close(rates[4], 6.004e-4))
    #expect(close(rates[5], 8.002e-4))
    #expect(close(rates[6], 9.99321619703514e-4))
    #expect(close(rates[7], 7.525e-4))
    #expect(close(rates[8], 5.05e-4))
    #expect(close(rates[9], 1.0108562e-5, 1e-6))
    let last = schedule.learningRate(step: 1251 + 1250, base: 5e-4, run: deit)
    #expect(last == 1e-6)
  }

  @Test func perStepWarmsUpExactlyToThePeakAndEndsExactlyAtTheFloor() {
    var schedule = WarmupSchedule<CosineDecay>()
    schedule.warmupEpochs = 2
    let run = RunLength(totalSteps: 100, stepsPerEpoch: 10, batchSize: 64)
    func rate(_ step: Int) -> Double { schedule.learningRate(step: step, base: 1e-3, run: run) }
    #expect(close(rate(0), 1e-6 + 999e-6 / 20))
    #expect(close(rate(9), 1e-6 + 999e-6 / 2))
    #expect(rate(19) == 1e-3)
    #expect(close(rate(59), 5.05e-4))
    #expect(rate(99) == 1e-5)
    #expect(rate(500) == 1e-5)
    #expect((20..<99).allSatisfy { rate($0) > rate($0 + 1) })
    schedule.warmupEpochs = 0
    schedule.warmupSteps = 20
    #expect(rate(9) == 1e-6 + 999e-6 / 2)
  }

  @Test func linearAndConstant() {
    let run = RunLength(totalSteps: 100, stepsPerEpoch: 10, batchSize: 1024)
    var linear = WarmupSchedule<LinearDecay>()
    #expect(close(linear.learningRate(step: 49, base: 1e-3, run: run), 5.05e-4))
    linear.scaling = .linear
    #expect(close(linear.learningRate(step: 49, base: 1e-3, run: run), 1.005e-3))
    let constant = WarmupSchedule<NoDecay>()
    #expect(constant.learningRate(step: 99, base: 1e-3, run: run) == 1e-3)
  }

  @Test func schedulesThatDoNotFitTheRunAreRefused() throws {
    let run = RunLength(totalSteps: 20, stepsPerEpoch: 10, batchSize: 64)
    let cosine = try WarmupSchedule<CosineDecay>(yaml: "warmupEpochs: 2")
    #expect(
      message { try cosine.check(base: 1e-3, run: run) } == """
        schedule.warmupEpochs: the warm-up of 20 steps leaves nothing of the run of 20 steps. \
        Shorten the warm-up or lengthen the run.
        """)
    #expect(
      message { try WarmupSchedule<CosineDecay>().check(base: 1e-6, run: run) } == """
        schedule.minimumLearningRate: 1e-05 is above the learning rate 1e-06, so the rate would \
        rise. Lower it, or take the schedule constant.
        """)
    #expect(message { try WarmupSchedule<NoDecay>().check(base: 1e-6, run: run) } == "")
    #expect(
      message {
        try WarmupSchedule<CosineDecay>(yaml: "{warmupEpochs: 1, warmupSteps: 3}", name: "r.yaml")
      } == """
        r.yaml:1: warmupSteps: warm-up is given in steps and in epochs. \
        Remove warmupSteps or warmupEpochs.
        """)
    #expect(
      message {
        try WarmupSchedule<CosineDecay>().check(
          base: 1, run: RunLength(totalSteps: 0, stepsPerEpoch: 1, batchSize: 1))
      } == "epochs: the run has no steps. Give epochs or steps above 0.")
  }

  @Test func theCataloguesAreWellFormed() throws {
    #expect(OptimizerCatalog.defects.isEmpty)
    #expect(ScheduleCatalog.defects.isEmpty)
    let choice = try Choice<ScheduleCatalog>(
      yaml: "{kind: linear, warmupEpochs: 2, mode: deit-epoch-lagged}")
    #expect(
      choice.yaml == """
        kind: linear
        warmupEpochs: 2.0
        warmupSteps: 0
        warmupLearningRate: 1e-06
        minimumLearningRate: 1e-05
        scaling: none
        mode: deit-epoch-lagged

        """)
    #expect(
      message { try Choice<OptimizerCatalog>(yaml: "{kind: sgd, momentum: 1}", name: "r.yaml") }
        == "r.yaml:1: momentum: 1.0 is not in 0 ..< 1. Give e.g. 0.9.")
    #expect(
      message { try Choice<OptimizerCatalog>(yaml: "{learningRate: 0}", name: "r.yaml") }
        == "r.yaml:1: learningRate: 0.0 is not a positive number. Give a number above 0, e.g. 1.0e-3."
    )
  }
}

func message(_ body: () throws -> some Any) -> String {
  do {
    _ = try body()
    return ""
  } catch { return "\(error)" }
}
