import Datasets

/// Evenly spaced samples of a data set: data sets are often sorted by class, so the first few would
/// show only some.
struct SampleSubset: SampleSource {
  private let source: any SampleSource
  /// Their indices in the data set, ascending.
  let indices: [Int]

  /// - Parameter count: 0, or more than there are, for all.
  init(_ source: any SampleSource, count: Int) {
    let wanted = count > 0 ? min(count, source.count) : source.count
    self.source = source
    indices = (0..<wanted).map { $0 * source.count / wanted }
  }

  var count: Int { indices.count }
  var classes: [String] { source.classes }
  func label(_ index: Int) -> Int { source.label(indices[index]) }
  func describe(_ index: Int) -> String { source.describe(indices[index]) }

  func read(_ index: Int, into bytes: inout [UInt8]) throws -> StoredImage {
    try source.read(indices[index], into: &bytes)
  }
}
