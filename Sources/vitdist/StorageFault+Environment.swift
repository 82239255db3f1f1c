import Archives
import Collectives
import Configuration

extension Storage {
  static let faultVariable = "VITDIST_STORAGE_FAULT"

  /// The storage of a rank, with the fault that `VITDIST_STORAGE_FAULT` asks for, e.g.
  /// `kill:rank=1,site=7`: for tests of what happens when a disk or a node fails.
  static func fromEnvironment(rank: Int) throws -> Storage {
    let text = Launch.environment(faultVariable) ?? ""
    if text.isEmpty { return Storage() }
    let parts = text.split(separator: ":", maxSplits: 1)
    var numbers: [Substring: Int] = [:]
    for pair in parts.last?.split(separator: ",") ?? [] {
      let sides = pair.split(separator: "=")
      if sides.count == 2, let number = Int(sides[1]) { numbers[sides[0]] = number }
    }
    guard parts.count == 2, let kind = StorageFault.Kind(rawValue: String(parts[0])),
      let struck = numbers["rank"], let site = numbers["site"], numbers.count == 2
    else {
      let kinds = StorageFault.Kind.allCases.map(\.rawValue).joined(separator: ", ")
      throw ConfigurationError(
        faultVariable, "\"\(text)\" is not a fault",
        remedy: "Unset the variable, or give e.g. kill:rank=1,site=7; kinds are \(kinds)")
    }
    return struck == rank ? Storage(fault: StorageFault(kind, site: site)) : Storage()
  }
}
