import Archives

/// What `shards create --from` can read.
public enum ShardInputKind: String, CaseIterable, Sendable {
  /// Class folders of JPEG and PNG files, or a tar or zip of them.
  case imagefolder
  /// The pair of files of MNIST and Fashion-MNIST.
  case idx
  case cifar10
  case cifar100
  /// HDF5 files of any layout that `ShardSet` reads.
  case hdf5

  /// Opens a source.
  ///
  /// - Parameter classes: names in the order of their numbers; empty for those of the source.
  public func open(
    _ path: String, split: String = "", classes: [String] = []
  ) throws -> any ShardInput {
    switch self {
    case .imagefolder: return try ClassFolderInput(path, split: split, classes: classes)
    case .idx: return try IdxInput(path, split: split, classes: classes)
    case .hdf5:
      let input = try SampleSourceInput(try ShardSet(path, split: split))
      return classes.isEmpty ? input : try RenamedClasses(input, classes, path: path)
    case .cifar10, .cifar100:
      let input = try CIFARInput(path, split: split)
      return classes.isEmpty ? input : try RenamedClasses(input, classes, path: path)
    }
  }
}

/// A source under other class names.
private struct RenamedClasses: ShardInput {
  private let input: any ShardInput
  let classes: [String]

  init(_ input: any ShardInput, _ classes: [String], path: String) throws {
    guard classes.count >= input.classes.count else {
      throw ArchiveError.bad(
        path, "has \(input.classes.count) classes, the class list has \(classes.count)",
        remedy: "Give a name for every class")
    }
    self.input = input
    self.classes = classes
  }

  var count: Int { input.count }
  var storage: ShardWriter.Storage { input.storage }
  var identity: String { input.identity }
  func item(at index: Int) throws -> ShardItem { try input.item(at: index) }
}
