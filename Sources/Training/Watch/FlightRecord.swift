import Collectives
import Foundation

/// A rank's last events as they are left on disk, `flight/rank-00003.jsonl`: where the rank stands in the
/// first line, then one event a line, oldest first.
package struct FlightRecord: Codable, Sendable, Equatable {
  package var job = ""
  /// Seconds since 1970 when it was written.
  package var time = 0.0
  package var rank = 0
  package var host = ""
  package var process = 0
  package var step = 0
  package var phase = FlightPhase.begin
  package var detail = 0
  /// Since its last mark.
  package var secondsSilent = 0.0
  /// Its watchdog has not looked for some time either: the whole process stands still.
  package var isFrozen = false
  /// What the system says of its main thread, such as `stopped`; empty if it does not.
  package var processState = ""

  package init() {}

  private struct Line: Codable {
    var secondsAgo: Double
    var step: Int
    var phase: String
    var detail: Int
  }

  /// `rank 1 (node7, process 1234)`
  var name: String { "rank \(rank) (\(host), process \(process))" }

  static func path(rank: Int, in folder: String) -> String {
    let digits = String(rank)
    let padding = String(repeating: "0", count: max(0, 5 - digits.count))
    return "\(folder)/rank-\(padding)\(digits).jsonl"
  }

  /// Writes the record with its events; a file is whole or not there.
  func write(_ events: [FlightEvent], at now: UInt64, folder: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var text = try encoder.encode(self)
    for event in events {
      text.append(UInt8(ascii: "\n"))
      let seconds = Self.seconds(from: event.time, to: now)
      text += try encoder.encode(
        Line(
          secondsAgo: seconds, step: event.step, phase: event.phase.name, detail: event.detail))
    }
    text.append(UInt8(ascii: "\n"))
    try text.write(to: URL(fileURLWithPath: Self.path(rank: rank, in: folder)), options: .atomic)
  }

  /// Seconds by which the clocks of two nodes may differ.
  static let clockSkew = 5.0

  /// The record of a rank of this job, whose processes started at `since`; nil until it is there.
  package static func read(rank: Int, job: String, since: Double, in folder: String)
    -> FlightRecord?
  {
    guard let data = FileManager.default.contents(atPath: path(rank: rank, in: folder)),
      let line = data.split(separator: UInt8(ascii: "\n")).first,
      let record = try? JSONDecoder().decode(FlightRecord.self, from: line), record.job == job,
      record.time > since - clockSkew
    else { return nil }
    return record
  }

  static func seconds(from start: UInt64, to end: UInt64) -> Double {
    end > start ? Double(end - start) * 1e-9 : 0
  }

  /// What the system says a process does, of a process of this node.
  static func state(of process: Int) -> String {
    guard let data = FileManager.default.contents(atPath: "/proc/\(process)/stat") else {
      return "gone"
    }
    let fields = String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(
      separator: " ")
    return switch fields?.first {
    case "T", "t": "stopped by a signal"
    case "D": "waiting for a disk or the network"
    case "R": "running"
    case "S": "asleep"
    case "Z", "X": "gone"
    default: ""
    }
  }
}
