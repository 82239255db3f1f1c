import Foundation
import TestSupport
import Testing

/// The sources against the table of rooms in the manifest.
@Suite struct RoomTests {
  /// What every room may import: the language's own modules.
  static let language: Set = ["Foundation", "Glibc", "Dispatch", "Synchronization"]
  /// Packages from outside.
  static let packages: Set = ["Yams", "ArgumentParser"]

  @Test func manifestListsEveryFolderOfSources() throws {
    let manifest = try Manifest()
    #expect(
      manifest.floors.count >= 7 && manifest.rooms.count >= 13, "the table was not understood")
    let listed = manifest.doors + manifest.rooms.map(\.name)
    #expect(try SourceTree.folders(in: "Sources") == listed.sorted())
  }

  /// Rooms of one floor stand beside each other: neither uses the other.
  @Test func roomsUseOnlyFloorsBelowThem() throws {
    let manifest = try Manifest()
    var below = Set(manifest.doors).union(Self.packages)
    for floor in manifest.floors {
      for room in floor {
        for use in room.uses {
          #expect(below.contains(use), "\(room.name) uses \(use), which does not stand below it")
        }
      }
      below.formUnion(floor.map(\.name))
    }
  }

  /// A C library is reached through one room.
  @Test func everyDoorIsOpenedByOneRoom() throws {
    let manifest = try Manifest()
    for door in manifest.doors {
      let users = manifest.rooms.filter { $0.uses.contains(door) }.map(\.name)
      #expect(users.count == 1, "\(door) is used by \(users)")
    }
  }

  @Test func filesImportOnlyWhatTheirRoomUses() throws {
    let manifest = try Manifest()
    for file in SourceTree.files(in: "Sources", endings: [".swift"]) {
      let room = String(file.path.split(separator: "/")[1])
      let uses = try #require(manifest.uses(of: room), "\(file) lies in no room of the manifest")
      let allowed = Self.language.union(uses)
      for name in Self.imports(of: file) {
        #expect(allowed.contains(name), "\(file) imports \(name), which \(room) does not list")
      }
    }
  }

  @Test func everyUseIsImportedSomewhere() throws {
    for room in try Manifest().rooms {
      let files = SourceTree.files(in: "Sources/\(room.name)", endings: [".swift"])
      let imported = Set(files.flatMap(Self.imports))
      for use in room.uses {
        #expect(imported.contains(use), "\(room.name) lists \(use) and does not import it")
      }
    }
  }

  static func imports(of file: SourceTree.File) -> [String] {
    file.lines.compactMap { line in
      guard let match = line.firstMatch(of: /^\s*(?:@\w+\s+|public\s+|package\s+)*import\s+(.+)$/)
      else { return nil }
      let words = match.1.split(separator: " ")
      let kinds: Set<Substring> = [
        "struct", "class", "enum", "func", "protocol", "typealias", "var",
      ]
      let module = words.first { !kinds.contains($0) } ?? ""
      return String(module.prefix { $0 != "." })
    }
  }
}
