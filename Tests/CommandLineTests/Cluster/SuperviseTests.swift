import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// `Launch/supervise`: a run under it ends with the bits of a run left alone, and it knows when
  /// to stop.
  @Suite(mpirunIsThere) struct SuperviseTests {
    private func supervise(
      _ run: SmallRun, _ name: String, ranks: Int, program: String = Program.path,
      settings: [String] = SmallRun.endless, options: [String] = [],
      variables: [String: String] = [:]
    ) throws -> Program.Running {
      try Script.start(
        [Script.path("supervise")] + options
          + ["--", "mpirun", "--oversubscribe", "-n", "\(ranks)", program]
          + run.training(name, settings), variables: variables)
    }

    /// A rank is killed, then mpirun; then the supervisor is asked to stop.
    @Test func aKilledRunGoesOnByItself() throws {
      let run = try SmallRun()
      let running = try supervise(run, "run", ranks: 3)
      for starts in 1...3 {
        let trains = happens(within: 60) { run.trains("run", starts: starts) }
        try #require(trains && running.isRunning, "start \(starts): \(running.stop())")
        let mpirun = try #require(running.children.first, "no mpirun")
        switch starts {
        case 1: kill(try #require(Program.Running.children(of: mpirun).last), SIGKILL)
        case 2: kill(mpirun, SIGKILL)
        default: kill(running.identifier, SIGTERM)
        }
      }
      let outcome = running.wait(seconds: 60)
      #expect(outcome.status == 75, "\(outcome.errors)")
      #expect(outcome.errors.contains("ended as asked"), "\(outcome.errors)")
      try run.expectExact(["run"])
    }

    /// Where three ranks die twice, one rank goes on; and it finishes what it began.
    @Test func fewerRanksGoOnWhereMoreDie() throws {
      let run = try SmallRun()
      let program = try script(
        run,
        "if [ \"$1\" = train ] && [ \"${OMPI_COMM_WORLD_SIZE:-1}\" -gt 2 ]; then kill -9 $$; fi")
      let outcome = try supervise(run, "run", ranks: 5, program: program, settings: [])
        .wait(seconds: 120)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("going on with 2 ranks"), "\(outcome.errors)")
      try Program.run(run.training("alone"))
      #expect(try run.digest("run") == run.digest("alone"))
    }

    /// mpirun would wait for its rank; the watchdog's verdict says that nothing comes of it.
    @Test func aLauncherDoesNotOutliveTheVerdict() throws {
      let run = try SmallRun()
      let flight = run.path("run/flight")
      let program = try script(
        run,
        "if [ \"$1\" = train ]; then mkdir -p \(flight); sleep 1; echo x >\(flight)/verdict.txt; "
          + "exec sleep 30; fi")
      let outcome = try supervise(
        run, "run", ranks: 1, program: program, options: ["--in-vain", "1"],
        variables: ["VITDIST_VERDICT_GRACE": "1"]
      ).wait(seconds: 25)
      #expect(outcome.status == 76, "\(outcome.errors)")
      #expect(outcome.errors.contains("1 restarts in a row"), "\(outcome.errors)")
    }

    @Test func itStopsWhereRestartsAreInVainOrUseless() throws {
      let run = try SmallRun()
      let vain = try supervise(
        run, "run", ranks: 1, program: try script(run, "exit 70"), options: ["--in-vain", "2"]
      ).wait(seconds: 60)
      #expect(vain.status == 70, "\(vain.errors)")
      #expect(vain.errors.contains("2 restarts in a row found the run at step 0"), "\(vain.errors)")
      let wrong = try supervise(run, "wrong", ranks: 2, settings: ["batch.size=65"])
        .wait(seconds: 60)
      #expect(wrong.status == 64, "\(wrong.errors)")
      #expect(!wrong.errors.contains("restart 1"), "\(wrong.errors)")
    }

    /// A program that does something before it becomes the real one.
    private func script(_ run: SmallRun, _ line: String) throws -> String {
      let path = run.path("vitdist")
      let text = "#!/bin/sh\n\(line)\nexec \(Program.path) \"$@\"\n"
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
      return path
    }
  }
}
