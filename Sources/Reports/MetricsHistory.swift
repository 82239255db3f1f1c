import Archives
import Configuration
import Foundation

/// The numbers of a `metrics.jsonl`, by name.
public struct MetricsHistory: Sendable {
  /// One line: its numbers; those of nested objects as `validation.loss`.
  public typealias Record = [String: Double]

  /// The lines in order.
  public let records: [Record]

  /// Reads a file. A last line without its end is what a killed run leaves, and is passed over.
  /// - Throws: `ArchiveError` that names the line.
  public init(file: String) throws {
    guard let data = FileManager.default.contents(atPath: file) else {
      throw ArchiveError(
        .inputOutput, path: file, "cannot read the file",
        remedy: "Give the metrics.jsonl of a run")
    }
    var records: [Record] = []
    var start = data.startIndex
    while let end = data[start...].firstIndex(of: UInt8(ascii: "\n")) {
      guard let fields = try? ValueTree(json: data[start..<end], name: file).mapping else {
        throw ArchiveError(
          .badData, path: file, "line \(records.count + 1) is not a JSON object",
          remedy: "Give the metrics.jsonl of a run")
      }
      records.append(Self.flattened(fields))
      start = end + 1
    }
    self.records = records
  }

  /// A history made in code.
  public init(records: [Record]) { self.records = records }

  /// Names of all numbers, sorted.
  public var names: [String] { Set(records.flatMap(\.keys)).sorted() }

  /// The points where both numbers are known, in order of the file.
  public func points(_ name: String, against axis: String) -> [(x: Double, y: Double)] {
    records.compactMap { record in
      guard let x = record[axis], let y = record[name] else { return nil }
      return (x, y)
    }
  }

  private static func flattened(_ fields: ValueTree.Mapping, under prefix: String = "") -> Record {
    var record: Record = [:]
    for (key, value) in fields.entries {
      switch value.content {
      case .integer(let number): record[prefix + key] = Double(number)
      case .number(let number): record[prefix + key] = number
      case .mapping(let nested):
        record.merge(flattened(nested, under: "\(prefix)\(key).")) { $1 }
      default: break
      }
    }
    return record
  }
}
