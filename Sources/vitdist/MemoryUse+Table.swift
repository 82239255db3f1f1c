import Benchmarks
import Reports

extension MemoryUse {
  /// The parts that there are, with their share of the whole.
  var table: String {
    var table = TextTable(["memory of the largest rank", "MiB", "share"])
    func append(_ name: String, _ bytes: Int) {
      table.append([
        name, figure(Double(bytes) / 1_048_576), percent(Double(bytes) / Double(max(1, total))),
      ])
    }
    for part in Self.parts where self[keyPath: part.path] != 0 {
      append(part.name, self[keyPath: part.path])
    }
    append("all", total)
    return table.text
  }
}
