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

    /// Before Open MPI gives the host up, the watchdogs of both sides see that nothing moves; one of
    /// them says so, perhaps the one that is cut off. mpirun may then wait for the lost host: once it
    /// has sent it something, the kernel's patience counts (a quarter of an hour), so it is killed here.
    @Test func theWatchdogSeesACutLink() throws {
      let hosts = try LocalHosts(2)
      let run = try SmallRun()
      let running = try hosts.start(
        ["mpirun", "-n", "2", "--map-by", "node", Program.path]
          + run.training("cut", SmallRun.endless + ["watchdog.limitSeconds=6"]))
      try #require(
        happens(within: 60) { run.exists("cut/checkpoints/step_00000020") }, "\(running.stop())")
      try hosts.cut(2)
      let path = run.path("cut/flight/verdict.txt")
      var verdict = ""
      let isSeen = happens(within: 40) {
        verdict = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return verdict.hasSuffix("\n")
      }
      let errors = running.stop()
      #expect(isSeen, "\(errors)")
      #expect(verdict.contains("no progress for 6 s"), "\(verdict)")
      #expect(verdict.contains("(host"), "\(verdict)")
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
