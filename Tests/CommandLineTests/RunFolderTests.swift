import Archives
import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// What a run does with what already lies in its output folder, and with damage to it.
  @Suite struct RunFolderTests {
    private func trained(_ settings: [String] = ["steps=2", "schedule.warmupEpochs=0"]) throws
      -> SmallRun
    {
      let run = try SmallRun()
      let outcome = try Program.run(run.training("run", settings))
      try #require(outcome.status == 0, "\(outcome.errors)")
      return run
    }

    @Test func aCheckpointOfAnotherModelIsRefused() throws {
      let run = try trained()
      try refused(
        run.training("run", ["model.width=64"]), status: 65,
        naming: ["another run", "model.width was 32 and is 64", "step_00000002"])
    }

    @Test func aFolderInUseIsRefused() throws {
      let run = try SmallRun()
      let running = try Program.Running(
        run.training("run", ["steps=1000000", "checkpoints.everySteps=1000000"]))
      defer {
        kill(running.identifier, SIGKILL)
        _ = running.wait(seconds: 10)
      }
      let limit = Date().addingTimeInterval(60)
      while !run.hasSteps("run") {
        try #require(Date() < limit && running.isRunning, "the run did not start")
        usleep(3000)
      }
      try refused(
        run.training("run"), status: 74,
        naming: ["in use", "process \(running.identifier)", run.path("run")])
    }

    @Test func beginningAnewOverARunNeedsForce() throws {
      let run = try trained()
      let before = try run.digest("run")
      let anew =
        run.training("run", ["steps=1", "schedule.warmupEpochs=0"]) + ["--resume", "none"]
      try refused(anew, status: 74, naming: [run.path("run"), "--force"])
      #expect(try run.digest("run") == before)
      #expect(try Program.run(anew + ["--force"]).status == 0)
      #expect(try run.steps("run") == [1])
    }

    @Test(mpirunIsThere) func moreRanksThanShardsIsRefused() throws {
      let run = try SmallRun()
      try refused(
        run.training("run", ["batch.virtualShards=2"]), ranks: 3, status: 64,
        naming: ["3 ranks", "2 virtual shards"], isParagraph: false)
    }

    @Test func aFlippedByteInACheckpointIsFound() throws {
      let run = try trained()
      let step = run.path("run/checkpoints/step_00000002")
      let sound = try Program.run(["checkpoint", "verify", step])
      #expect(sound.status == 0, "\(sound.errors)")
      let names = try FileManager.default.contentsOfDirectory(atPath: step)
      let shard = try #require(names.first { $0 != "manifest.json" })
      let url = URL(fileURLWithPath: "\(step)/\(shard)")
      var bytes = try Data(contentsOf: url)
      bytes[bytes.count / 2] ^= 0x10
      try bytes.write(to: url)
      try refused(["checkpoint", "verify", step], status: 65, naming: [shard])
      try refused(
        ["evaluate", "--checkpoint", step, "--data", run.path("validation")], status: 65,
        naming: [shard])
    }

    @Test func aDamagedPictureInAShardIsNamed() throws {
      let run = try SmallRun()
      for name in ["a/420.jpg", "a/444.jpg", "b/grey.jpg"] {
        let target = run.folder.appendingPathComponent("pictures/\(name)")
        try FileManager.default.createDirectory(
          at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        let source = Fixtures.path("Imaging/" + target.lastPathComponent)
        try FileManager.default.copyItem(atPath: source, toPath: target.path)
      }
      let made = try Program.run([
        "shards", "create", "--from", "imagefolder", run.path("pictures"), "--output",
        run.path("packed"),
      ])
      try #require(made.status == 0, "\(made.errors)")
      let verify = ["shards", "verify", run.path("packed")]
      #expect(try Program.run(verify).status == 0)

      let shard = URL(fileURLWithPath: try run.shards("packed")[0])
      var bytes = try Data(contentsOf: shard)
      let picture = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("Imaging/444.jpg")))
      let place = try #require(bytes.range(of: picture), "the stream was not kept as it is")
      bytes.replaceSubrange(
        place.lowerBound + 20..<place.upperBound, with: Data(count: picture.count - 20))
      try bytes.write(to: shard)
      try refused(verify, status: 65, naming: [shard.path, "444.jpg"])
    }
  }
}
