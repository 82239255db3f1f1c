import Foundation
import TestSupport
import Testing

/// Rules of the house that a compiler does not know.
@Suite struct HouseRuleTests {
  static let code = [".swift", ".c", ".h", ".py"]

  @Test(arguments: ["Sources", "Tests"])
  func filesStayShort(folder: String) {
    for file in SourceTree.files(in: folder, endings: Self.code) {
      #expect(file.lines.count <= 301, "\(file) has more than 300 lines: two ideas?")
    }
  }

  @Test(arguments: ["Sources", "Tests", "Launch", "Configs"])
  func nothingIsLeftUnfinished(folder: String) {
    let marks = ["TO" + "DO", "FIX" + "ME"]
    for file in SourceTree.files(in: folder, endings: Self.code + [".yaml", ".md", ""]) {
      for (number, line) in file.lines.enumerated() {
        for mark in marks {
          #expect(!line.contains(mark), "\(file):\(number + 1) is marked as unfinished")
        }
      }
    }
  }

  @Test func onlyTheExecutablePrints() {
    for file in SourceTree.files(in: "Sources", endings: [".swift"])
    where !file.path.hasPrefix("Sources/vitdist/") {
      for (number, line) in file.lines.enumerated() where !Self.isComment(line) {
        #expect(
          line.firstMatch(of: /(^|[^\w.`])print\(/) == nil,
          "\(file):\(number + 1) prints; hand the text to the caller")
      }
    }
  }

  /// Nothing can be done where memory has run out, so the pool may end the process.
  @Test func nothingAUserCausesTraps() {
    let pool = "Sources/Tensors/BufferPool.swift"
    for file in SourceTree.files(in: "Sources", endings: [".swift"]) {
      for (number, line) in file.lines.enumerated() where !Self.isComment(line) {
        #expect(!line.contains("try!"), "\(file):\(number + 1): throw instead")
        #expect(
          !line.contains("fatalError(") || file.path == pool,
          "\(file):\(number + 1): throw, or use precondition")
      }
    }
  }

  @Test func scriptsCanBeRun() throws {
    let launch = Fixtures.package.appendingPathComponent("Launch")
    let names = try FileManager.default.contentsOfDirectory(atPath: launch.path)
    #expect(Set(["install", "quickstart", "test", "environment"]).isSubset(of: names))
    // What others source or compile has an ending of its own.
    let run = names.filter { $0 != "environment" && !$0.contains(".") }
    for path in run.map({ "Launch/\($0)" }) + [".ci/run"] {
      let full = Fixtures.package.appendingPathComponent(path).path
      #expect(FileManager.default.isExecutableFile(atPath: full), "\(path) has no run bit")
    }
  }

  @Test func fixturesStaySmall() throws {
    let folder = Fixtures.package.appendingPathComponent("Tests/Fixtures")
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
    where name.hasSuffix(".json") || name.hasSuffix(".safetensors") {
      let path = folder.appendingPathComponent(name).path
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      let size = try #require(attributes[.size] as? Int)
      #expect(size <= 100 << 10, "\(name) has \(size) bytes; make it from counted values")
    }
  }

  private static func isComment(_ line: String) -> Bool {
    line.drop { $0 == " " }.hasPrefix("//")
  }
}
