import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// Ranks on several hosts with addresses of their own: mpirun reaches them by ssh, and messages go
  /// over TCP.
  @Suite(hostsAreThere) struct HostsTests {
    @Test func severalHostsGiveTheBitsOfOne() throws {
      let hosts = try LocalHosts(3)
      let run = try SmallRun()
      let names = try hosts.run(["mpirun", "-n", "3", "--map-by", "node", "hostname"])
      #expect(Set(names.output.split(separator: "\n")).count == 3, "\(names)")
      try train(run, "apart", on: hosts, ranks: 5)
      try Program.run(run.training("alone"))
      #expect(try run.digest("apart") == run.digest("alone"))
      #expect(try run.losses("apart") == run.losses("alone"))
    }

    @Test func delayAndLossChangeNoBit() throws {
      let run = try SmallRun()
      let settings = ["steps=20", "schedule.warmupEpochs=0"]
      guard let hosts = try? LocalHosts(2, ["--delay", "2", "--loss", "0.5"]) else {
        print("no delay can be injected here: neither tc netem nor a compiler with ethtool")
        return
      }
      try train(run, "late", on: hosts, ranks: 2, settings)
      try Program.run(run.training("alone", settings))
      #expect(try run.digest("late") == run.digest("alone"))
    }

    /// Open MPI sees a host vanish when its messages to the other side's daemon stay unanswered;
    /// `Launch/environment` sets after how long.
    @Test func aCutLinkIsNamedAndNotAHang() throws {
      let hosts = try LocalHosts(2)
      let run = try SmallRun()
      let running = try hosts.start(
        ["mpirun", "-n", "2", "--map-by", "node", Program.path]
          + run.training("cut", SmallRun.endless), variables: Self.silence(seconds: 5))
      try #require(
        happens(within: 60) { run.exists("cut/checkpoints/step_00000020") }, "\(running.stop())")
      try hosts.cut(2)
      let outcome = running.wait(seconds: 60)
      #expect(outcome.status != -1, "the ranks hang")
      #expect(outcome.status != 0)
      #expect(outcome.errors.contains("lost communication"), "\(outcome.errors)")
      #expect(outcome.errors.contains("10.177.0.2"), "\(outcome.errors)")
      try hosts.mend(2)
      // The host that was cut off ends its rank by itself, and the folder is free again.
      try train(run, "cut", on: hosts, ranks: 2, SmallRun.endless + ["steps=60"])
    }

    /// Where Open MPI would wait for a lost host, a quarter of an hour if it has sent it something, the
    /// watchdogs of both sides see that nothing moves and leave their records in the folder that they
    /// share. The node of rank 0 says who is to blame even if the other judges, and the supervisor ends
    /// the launcher and goes on with the host that is left.
    @Test func theWatchdogSeesACutLinkAndTheRunGoesOn() throws {
      let hosts = try LocalHosts(2)
      let run = try SmallRun()
      let running = try hosts.start(
        [Script.path("supervise"), "--", "mpirun", "-n", "4", "--map-by", "node", Program.path]
          + run.training("run", SmallRun.endless + ["watchdog.limitSeconds=6"]),
        variables: ["VITDIST_VERDICT_GRACE": "5"])
      try #require(happens(within: 60) { run.trains("run", starts: 1) }, "\(running.stop())")
      try hosts.cut(2)
      let wentOn = happens(within: 90) { run.trains("run", starts: 2) }
      kill(running.identifier, SIGTERM)
      let outcome = running.wait(seconds: 60)
      #expect(wentOn && outcome.status == 75, "\(outcome.errors)")
      for words in [
        "vitdist: the watchdog saw a rank make no progress for 6 s", "(host",
        "restart 1 after exit code 76", "host 10.177.0.2 does not answer",
      ] {
        #expect(outcome.errors.contains(words), "'\(words)' is not in: \(outcome.errors)")
      }
      let verdict = try String(contentsOfFile: run.path("run/flight/verdict.txt"), encoding: .utf8)
      #expect(verdict.split(separator: "\n").count == 1 && verdict.hasSuffix("\n"), "\(verdict)")
      let names = try (0..<4).map { rank in
        let path = run.path("run/flight/rank-0000\(rank).jsonl")
        let line = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").first
        let record = try JSONSerialization.jsonObject(with: Data(try #require(line).utf8))
        return (record as? [String: Any])?["host"] as? String
      }
      #expect(names == ["host1", "host2", "host1", "host2"])
      try run.expectExact(["run"])
    }

    /// How long a host may be silent until Open MPI gives it up.
    private static func silence(seconds: Int) -> [String: String] {
      [
        "OMPI_MCA_oob_tcp_keepalive_time": "\(seconds)", "OMPI_MCA_oob_tcp_keepalive_intvl": "1",
        "OMPI_MCA_oob_tcp_keepalive_probes": "3",
      ]
    }

    /// A host that is off the network is left out, and its ranks go to the others.
    @Test func supervisionLeavesOutALostHost() throws {
      let hosts = try LocalHosts(3)
      let run = try SmallRun()
      let running = try hosts.start(
        [Script.path("supervise"), "--", "mpirun", "-n", "3", "--map-by", "node", Program.path]
          + run.training("run", SmallRun.endless),
        variables: Self.silence(seconds: 5))
      try #require(happens(within: 60) { run.trains("run", starts: 1) }, "\(running.stop())")
      try hosts.cut(3)
      let wentOn = happens(within: 90) { run.trains("run", starts: 2) }
      kill(running.identifier, SIGTERM)
      let outcome = running.wait(seconds: 60)
      #expect(wentOn && outcome.status == 75, "\(outcome.errors)")
      #expect(outcome.errors.contains("host 10.177.0.3 does not answer"), "\(outcome.errors)")
      #expect(outcome.errors.contains(" 2 ranks"), "\(outcome.errors)")
      try run.expectExact(["run"])
    }

    private func train(
      _ run: SmallRun, _ name: String, on hosts: LocalHosts, ranks: Int, _ settings: [String] = []
    ) throws {
      let outcome = try hosts.run(
        ["mpirun", "-n", "\(ranks)", "--map-by", "node", Program.path]
          + run.training(name, settings) + ["--force"])
      try #require(outcome.status == 0, "\(outcome.errors)")
    }
  }
}
