import Foundation
import TestSupport

/// The table of rooms, read from the text of the manifest.
struct Manifest {
  struct Room {
    let name: String
    /// What it may import, as the table says.
    let uses: [String]
  }

  /// From the ground up; a blank line of the table parts one floor from the next. The executable is
  /// the last.
  private(set) var floors: [[Room]] = []
  private(set) var doors: [String] = []

  var rooms: [Room] { floors.flatMap { $0 } }

  init() throws {
    let url = Fixtures.package.appendingPathComponent("Package.swift")
    let text = try String(contentsOf: url, encoding: .utf8)
    doors = (text.matches(of: /door\(\s*"(\w+)"/) + text.matches(of: /\.target\(name: "(C\w+)"/))
      .map { String($0.1) }
    let table = text.components(separatedBy: "let rooms").last ?? ""
    floors =
      table.components(separatedBy: "// MARK").first.map {
        $0.components(separatedBy: "\n\n").map(Self.rooms).filter { !$0.isEmpty }
      } ?? []
  }

  func uses(of room: String) -> [String]? { rooms.first { $0.name == room }?.uses }

  private static func rooms(_ floor: String) -> [Room] {
    let plain = floor.matches(of: /room\(\s*"(\w+)",\s*uses:\s*\[([^\]]*)\]/).map {
      Room(name: String($0.1), uses: strings($0.2))
    }
    let program = floor.matches(
      of: /executableTarget\(\s*name:\s*"(\w+)",\s*dependencies:\s*\[([^\]]*)\]/
    ).map { Room(name: String($0.1), uses: strings($0.2)) }
    return plain + program
  }

  /// The names in a list of dependencies; of a product, its name and not its package.
  private static func strings(_ list: Substring) -> [String] {
    let products = list.matches(of: /\.product\(name:\s*"(\w+)"/).map { String($0.1) }
    let rest = list.replacing(/\.product\([^)]*\)/, with: "")
    return products + rest.matches(of: /"(\w+)"/).map { String($0.1) }
  }
}
