import Archives
import Datasets
import TestSupport

/// Images whose pixels are known by a formula, shared with `Tests/Fixtures/make_hdf5_layouts.py`.
enum CountedImages {
  static func pixels(_ image: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8((31 * image + 7 * $0) % 251) }
  }

  /// `Tests/Fixtures/hdf5/NAME`.
  static func fixture(_ name: String) -> String {
    let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return "/\(here)/Fixtures/hdf5/\(name)"
  }

  static let classes = ["ant", "bee", "cat"]

  /// Writes a set of `files` shards with `count` images in all, and returns its folder.
  static func writeSet(
    in folder: String, _ storage: ShardWriter.Storage, count: Int = 10, files: Int = 3,
    classes: [String] = classes
  ) throws {
    for index in 0..<files {
      let name = ShardFileName("counted", index: index, total: files)
      let writer = try ShardWriter(name, in: folder, storage: storage, classes: classes)
      for image in (index * count / files)..<((index + 1) * count / files) {
        let kind: StoredImage =
          storage == .raw ? .raw(width: 5, height: 4, channels: 3) : .encoded
        try writer.append(
          pixels(image, storage == .raw ? 60 : 10 + image), kind, label: image % 3,
          name: "file\(image)")
      }
      try writer.finish()
    }
  }
}
