import Foundation
import TestSupport

/// The files of the package as the architecture tests see them.
enum SourceTree {
  struct File: CustomStringConvertible, Sendable {
    /// Relative to the package, e.g. `Sources/Tensors/Shape.swift`.
    let path: String
    let lines: [String]
    var description: String { path }
    var name: String { String(path.split(separator: "/").last!) }
    var isSwift: Bool { path.hasSuffix(".swift") }
  }

  /// Text files below a folder of the package, sorted; build products and binary files left out.
  static func files(in folder: String, endings: [String]) -> [File] {
    let root = Fixtures.package.appendingPathComponent(folder)
    guard let walk = FileManager.default.enumerator(atPath: root.path) else { return [] }
    return walk.compactMap { $0 as? String }.sorted().compactMap { entry in
      guard endings.contains(where: entry.hasSuffix) else { return nil }
      guard let text = try? String(contentsOf: root.appendingPathComponent(entry), encoding: .utf8)
      else { return nil }
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      return File(path: "\(folder)/\(entry)", lines: lines)
    }
  }

  static func folders(in folder: String) throws -> [String] {
    let root = Fixtures.package.appendingPathComponent(folder)
    return try FileManager.default.contentsOfDirectory(atPath: root.path).filter {
      var isFolder: ObjCBool = false
      let path = root.appendingPathComponent($0).path
      return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        && isFolder.boolValue
    }.sorted()
  }
}

/// The table of rooms, read from the text of the manifest.
struct Manifest {
  /// Rooms from the ground up, each with what it may import; the executable comes last.
  private(set) var rooms: [(name: String, uses: [String])] = []
  private(set) var doors: [String] = []

  init() throws {
    let url = Fixtures.package.appendingPathComponent("Package.swift")
    let text = try String(contentsOf: url, encoding: .utf8)
    doors = text.matches(of: /door\(\s*"(\w+)"/).map { String($0.1) }
    rooms = text.matches(of: /room\(\s*"(\w+)",\s*uses:\s*\[([^\]]*)\]/).map {
      (String($0.1), Self.strings($0.2))
    }
    if let match = text.firstMatch(
      of: /executableTarget\(\s*name:\s*"(\w+)",\s*dependencies:\s*\[([^\]]*)\]/)
    {
      rooms.append((String(match.1), Self.strings(match.2)))
    }
  }

  /// The names in a list of dependencies; of a product, its name and not its package.
  private static func strings(_ list: Substring) -> [String] {
    let products = list.matches(of: /\.product\(name:\s*"(\w+)"/).map { String($0.1) }
    let rest = list.replacing(/\.product\([^)]*\)/, with: "")
    return products + rest.matches(of: /"(\w+)"/).map { String($0.1) }
  }

  func uses(of room: String) -> [String]? { rooms.first { $0.name == room }?.uses }
}
