import Foundation

/// Where the tests find what is not code.
public enum Fixtures {
  /// The folder of the package.
  public static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// `Tests/Fixtures/NAME`, made by `Tests/Fixtures/generate.py`.
  public static func path(_ name: String) -> String {
    package.appendingPathComponent("Tests/Fixtures/\(name)").path
  }

  /// A JSON fixture, decoded into the part of it that a test reads.
  public static func decode<Content: Decodable>(
    _ name: String, as type: Content.Type = Content.self
  ) throws -> Content {
    let data = try Data(contentsOf: URL(fileURLWithPath: path(name)))
    return try JSONDecoder().decode(type, from: data)
  }

  /// A folder of the real images that are not part of the project, nil where it is absent: the
  /// variable `VITDIST_DATA`, else `../shared/data` beside the package.
  public static func realData(_ folder: String) -> String? {
    let root =
      ProcessInfo.processInfo.environment["VITDIST_DATA"]
      ?? package.appendingPathComponent("../shared/data").standardizedFileURL.path
    let path = "\(root)/\(folder)"
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }
}
