/// The usual spellings of the parts of a data set.
enum SplitName {
  /// `train`, `validation` or `test` for their usual spellings, nil for any other word.
  static func known(_ word: String) -> String? {
    switch word.lowercased() {
    case "train", "training": "train"
    case "val", "valid", "validation", "dev": "validation"
    case "test", "testing": "test"
    default: nil
    }
  }

  /// One spelling for one part; other names stay as they are.
  static func canonical(_ name: String) -> String { known(name) ?? name }

  /// The part that a name like `train_img`, `x-val` or `cifar.test` speaks of, or nil.
  static func mentioned(in name: String) -> String? { words(name).lazy.compactMap(known).last }

  /// Lower-case words of a name between `_`, `-`, `.`, `/` and blanks.
  static func words(_ name: String) -> [String] {
    name.lowercased().split { "_-./ ".contains($0) }.map(String.init)
  }
}
