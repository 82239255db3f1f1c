import Archives
import Glibc

/// A folder of its own for one test, removed with what it holds when the test lets go of it.
public final class ScratchFolder {
  public let path: String

  public init() throws {
    var template = Array("/tmp/vitdist-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw ArchiveError.system("no scratch folder can be made", path: "/tmp")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { try? FileSystem.removeFolder(path) }

  public subscript(name: String) -> String { FileSystem.join(path, name) }

  /// Writes a file in the folder and returns its path.
  @discardableResult
  public func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try DurableFile.write(bytes, to: self[name])
    return self[name]
  }
}
