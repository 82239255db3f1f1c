import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// Promises P1 and P3 as a user sees them: the same bits on any number of ranks, and after a stop.
  @Suite(mpirunIsThere) struct ExactnessTests {
    /// Augmentation, mixing, drop path, repeats and averaging are on. The checkpoint of step 30 of
    /// each run is then continued on another number of ranks, or of threads.
    @Test func anyNumberOfRanksGivesTheSameBits() throws {
      let run = try SmallRun()
      try train(run, "alone", ranks: 0)
      let losses = try run.losses("alone")
      let digest = try run.digest("alone")
      #expect(losses.count == 60)
      for ranks in [1, 2, 3, 4, 8, 32] {
        try train(run, "ranks\(ranks)", ranks: ranks)
        #expect(try run.losses("ranks\(ranks)") == losses, "losses on \(ranks) ranks")
        #expect(try run.digest("ranks\(ranks)") == digest, "weights on \(ranks) ranks")
      }
      for (ranks, threads) in [(0, 2), (0, 3), (2, 2), (2, 3)] {
        let name = "ranks\(ranks)threads\(threads)"
        try train(run, name, ranks: ranks, threads: threads)
        #expect(try run.losses(name) == losses, "losses of \(name)")
        #expect(try run.digest(name) == digest, "weights of \(name)")
      }
      for (before, after, threads) in [
        (1, 3, 1), (2, 1, 2), (3, 8, 1), (8, 2, 3), (32, 4, 1), (0, 1, 1),
      ] {
        let name = "from\(before)to\(after)"
        let half = run.path(
          before > 0
            ? "ranks\(before)/checkpoints/step_00000030"
            : "ranks0threads3/checkpoints/step_00000030")
        try train(run, name, ranks: after, threads: threads, resume: half)
        let second = losses.filter { $0.key > 30 }
        #expect(try run.losses(name) == second, "\(name)")
        #expect(try run.digest(name) == digest, "\(name)")
      }
    }

    /// Norms over whole tensors, clipping and a teacher are exact as well.
    @Test func everyOptimizerAndObjectiveIsExact() throws {
      let run = try SmallRun()
      try train(run, "teacher", ranks: 2, ["steps=15"])
      let teacher = run.path("teacher/final.safetensors")
      for (name, settings) in [
        ("lamb", ["optimizer={kind: lamb}", "clipping.maximumNorm=0.5"]),
        ("sgd", ["optimizer={kind: sgd, learningRate: 0.02, nesterov: true}"]),
        (
          "distilled",
          [
            "objective={kind: distillation, form: soft, teacher: {weights: \(teacher)}}",
            "model.distilled=true", "model.recomputeBlocks=true",
          ]
        ),
      ] {
        let settings = settings + ["steps=15"]
        try train(run, name, ranks: 0, settings)
        for (ranks, threads) in [(3, 1), (0, 3), (2, 2)] {
          let other = "\(name)\(ranks).\(threads)"
          try train(run, other, ranks: ranks, threads: threads, settings)
          #expect(try run.losses(other) == run.losses(name), "\(other)")
          #expect(try run.digest(other) == run.digest(name), "\(other)")
        }
      }
    }

    /// Every robust objective, stopped in the middle of a round of the penalty method and taken up by
    /// another number of ranks; evaluations under attack are part of the run.
    @Test(arguments: [
      "{kind: ksparse, k: 4, roundSteps: 4, rounds: 3, of: {kind: rspc, rho: 0.25}}",
      "{kind: ksparse, k: 0.5, of: {kind: rspc, mode: algorithm1, of: {kind: adversarial, "
        + "attack: {kind: pgd, steps: 2}}}}",
      "{kind: fast, naturalWeight: 0.5, warmup: {epochs: 1}}",
      "{kind: trades, attack: {steps: 2}, attackedPhase: training}",
      "{kind: mart, attack: {steps: 2}}",
    ]) func everyRobustObjectiveIsExact(_ objective: String) throws {
      let run = try SmallRun()
      let settings =
        [
          "objective=\(objective)", "steps=12", "checkpoints.everySteps=6",
          "schedule.warmupEpochs=0",
          "data.augmentation.randomErasing.probability=0",
          "evaluation.robust={attacks: [{kind: pgd, steps: 2}, {kind: occlusion}], samples: 20}",
          "evaluation.attention.samples=20",
        ] + (objective.contains("mart") ? ["data.augmentation.mixing.probability=0"] : [])
      try train(run, "alone", ranks: 0, settings)
      let (losses, digest) = (try run.losses("alone"), try run.digest("alone"))
      let judged = try run.judgements("alone")
      #expect(judged.last?.keys.contains("attention.hoyer.1") ?? false)
      for (ranks, threads) in [(1, 1), (2, 1), (4, 1), (8, 1), (0, 2), (2, 3)] {
        let name = threads > 1 ? "ranks\(ranks)threads\(threads)" : "ranks\(ranks)"
        try train(run, name, ranks: ranks, threads: threads, settings)
        #expect(try run.losses(name) == losses, "losses of \(name)")
        #expect(try run.digest(name) == digest, "weights of \(name)")
        #expect(try run.judgements(name) == judged, "judgements of \(name)")
      }
      let half = run.path("ranks8/checkpoints/step_00000006")
      try train(run, "resumed", ranks: 3, settings, resume: half)
      #expect(try run.losses("resumed") == losses.filter { $0.key > 6 })
      #expect(try run.digest("resumed") == digest)
    }

    /// With 65 tokens and four images at once, products of all kinds take operands of bfloat16.
    @Test(arguments: [
      "{kind: supervised}",
      "{kind: ksparse, k: 8, of: {kind: rspc, rho: 0.25, of: {kind: adversarial, "
        + "attack: {kind: pgd, steps: 1}}}}",
    ]) func productsOfBFloat16AreExact(_ objective: String) throws {
      let run = try SmallRun()
      let settings = [
        "objective=\(objective)", "precision=bf16", "model.patchSize=2", "model.heads=1",
        "batch.microBatch=4",
        "batch.virtualShards=16", "steps=8", "checkpoints.everySteps=4",
        "schedule.warmupEpochs=0", "data.augmentation.randomErasing.probability=0",
      ]
      try train(run, "alone", ranks: 0, settings)
      let (losses, digest) = (try run.losses("alone"), try run.digest("alone"))
      for ranks in [2, 3, 16] {
        try train(run, "ranks\(ranks)", ranks: ranks, settings)
        #expect(try run.losses("ranks\(ranks)") == losses, "losses on \(ranks) ranks")
        #expect(try run.digest("ranks\(ranks)") == digest, "weights on \(ranks) ranks")
      }
      let half = run.path("ranks3/checkpoints/step_00000004")
      try train(run, "resumed", ranks: 2, settings + ["threads=2"], resume: half)
      #expect(try run.losses("resumed") == losses.filter { $0.key > 4 })
      #expect(try run.digest("resumed") == digest)
      try train(run, "single", ranks: 2, settings + ["precision=f32"])
      #expect(try run.digest("single") != digest, "bf16 gave the bits of f32")
    }

    /// Six batches an epoch, each twice; step 11 lies between the replays of the last and short one,
    /// and its checkpoint holds the perturbation of every place of the batch.
    @Test func freeTrainingGoesOnBetweenReplays() throws {
      let run = try SmallRun()
      let settings = [
        "objective={kind: rspc, rho: 0.25, of: {kind: free, replays: 2}}", "steps=16",
        "checkpoints.everySteps=11", "schedule.warmupEpochs=0",
        "data.augmentation.randomErasing.probability=0",
      ]
      try train(run, "alone", ranks: 0, settings)
      let (losses, digest) = (try run.losses("alone"), try run.digest("alone"))
      try train(run, "threads", ranks: 2, threads: 3, settings)
      #expect(try run.losses("threads") == losses)
      #expect(try run.digest("threads") == digest)
      for (ranks, next) in [(1, 2), (2, 3), (3, 8), (32, 1)] {
        try train(run, "ranks\(ranks)", ranks: ranks, settings)
        #expect(try run.losses("ranks\(ranks)") == losses, "losses on \(ranks) ranks")
        #expect(try run.digest("ranks\(ranks)") == digest, "state on \(ranks) ranks")
        let half = run.path("ranks\(ranks)/checkpoints/step_00000011")
        let name = "from\(ranks)to\(next)"
        try train(run, name, ranks: next, settings, resume: half)
        #expect(try run.losses(name) == losses.filter { $0.key > 11 }, "\(name)")
        #expect(try run.digest(name) == digest, "\(name)")
      }
    }

    /// How far the killed run came is chance: the undisturbed one goes some steps further.
    @Test func aKilledRunEndsWithTheBitsOfAnUndisturbedOne() throws {
      let run = try SmallRun()
      for (before, after) in [(0, 2), (2, 3), (3, 0)] {
        let name = "killed\(before)to\(after)"
        let running = try Program.Running(
          run.training(name, Self.endless + ["checkpoints.everySteps=20"]), ranks: before)
        try wait(running) { run.exists("\(name)/checkpoints/step_00000040") }
        let victim = try #require(running.ranks.last, "no rank of \(name) was found")
        kill(victim, SIGKILL)
        let outcome = running.wait(seconds: 60)
        #expect(outcome.status != 0 && outcome.status != -1, "\(name): \(outcome.errors)")
        try goesOnExactly(run, name, ranks: after)
      }
    }

    @Test(arguments: [(0, SIGTERM), (0, SIGINT), (2, SIGUSR1), (3, SIGUSR2)])
    func aSignalIsARequest(_ ranks: Int, _ number: Int32) throws {
      let run = try SmallRun()
      let running = try Program.Running(
        run.training("stopped", Self.endless + ["checkpoints.everySteps=1000000"]), ranks: ranks)
      try wait(running) { run.hasSteps("stopped") }
      kill(running.identifier, number)
      let outcome = running.wait(seconds: 60)
      #expect(outcome.status == 75, "\(outcome.errors)")
      #expect(outcome.errors.contains("stopped on request after step"), "\(outcome.errors)")
      #expect(try run.steps("stopped").count == 1, "the ranks did not save one state")
      try goesOnExactly(run, "stopped", ranks: ranks == 2 ? 1 : 2)
    }

    /// A batch system may signal one process of the job only: all ranks stop after the same step.
    @Test func aSignalToOneRankStopsAll() throws {
      let run = try SmallRun()
      let running = try Program.Running(
        run.training("stopped", Self.endless + ["checkpoints.everySteps=1000000"]), ranks: 3)
      try wait(running) { run.hasSteps("stopped") }
      kill(try #require(running.ranks.last), SIGTERM)
      let outcome = running.wait(seconds: 60)
      #expect(outcome.status == 75, "\(outcome.errors)")
      try goesOnExactly(run, "stopped", ranks: 1)
    }

    /// A run that no test outlasts, whose learning rate does not depend on its length.
    private static let endless = [
      "steps=1000000", "schedule.kind=constant", "schedule.warmupEpochs=0",
      "evaluation.everyEpochs=0",
    ]

    /// Lets a stopped run go on for some steps, and compares it with one that was never stopped.
    private func goesOnExactly(_ run: SmallRun, _ name: String, ranks: Int) throws {
      let last = try #require(try run.steps(name).last)
      try #require(!run.exists("\(name)/final.safetensors"), "\(name) was not stopped")
      let settings = Self.endless + ["steps=\(last + 10)", "checkpoints.everySteps=1000000"]
      try train(run, "\(name)-whole", ranks: 0, settings)
      try train(run, name, ranks: ranks, settings)
      #expect(try run.digest(name) == run.digest("\(name)-whole"), "\(name)")
      let (found, expected) = (try run.losses(name), try run.losses("\(name)-whole"))
      #expect(found == expected, "\(name)")
    }

    /// `--force` since a run that goes on for some steps has another length than the one that was
    /// stopped; here the learning rate does not depend on it.
    private func train(
      _ run: SmallRun, _ name: String, ranks: Int, threads: Int = 1, _ settings: [String] = [],
      resume: String = "auto"
    ) throws {
      let outcome = try Program.run(
        run.training(name, settings) + ["--resume", resume, "--force", "--threads", "\(threads)"],
        ranks: ranks, seconds: 240)
      try #require(outcome.status == 0, "\(name): \(outcome.errors.suffix(2000))")
    }

    /// Looks every few milliseconds: the event lies in another process.
    private func wait(_ running: Program.Running, until condition: () -> Bool) throws {
      let limit = Date().addingTimeInterval(60)
      while !condition() {
        guard Date() < limit, running.isRunning else {
          kill(running.identifier, SIGKILL)
          let outcome = running.wait(seconds: 10)
          try #require(Bool(false), "the run did not come so far: \(outcome.errors)")
          return
        }
        usleep(3000)
      }
    }
  }
}
