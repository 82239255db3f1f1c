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
