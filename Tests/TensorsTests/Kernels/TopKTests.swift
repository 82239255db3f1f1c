import Tensors
import TestSupport
import Testing

/// Selection against a stable descending sort: the definition.
@Suite struct TopKTests {
  private func kept(_ row: [Float], _ k: Int) -> Set<Int> {
    let selection = row.withUnsafeBufferPointer {
      TopK.select($0.baseAddress!, width: row.count, k: k)
    }
    return Set(row.indices.filter { selection.keeps(row[$0], at: $0) })
  }

  private func expected(_ row: [Float], _ k: Int) -> Set<Int> {
    Set(row.indices.sorted { (row[$1], $0) < (row[$0], $1) }.prefix(k))
  }

  @Test(
    arguments: [2, 3, 15, 16, 17, 31, 65, 197], ["normal", "skewed", "ties", "zeros", "equal"])
  func isWhatAStableSortKeeps(_ width: Int, _ sort: String) {
    for seed in 0..<20 {
      let key = RandomKey(seed: UInt64(seed), .synthesis, sample: width)
      let row = (0..<width).map { index -> Float in
        let u = key.uniformFloat(index)
        switch sort {
        case "skewed": return u * u * u * u * 1e-6
        case "ties": return Float(key.below(5, index)) / 7
        case "zeros": return u < 0.7 ? 0 : u
        case "equal": return 0.25
        default: return u
        }
      }
      for k in Set([1, 2, width / 3, width / 2, width - 1]) where k >= 1 && k < width {
        #expect(kept(row, k) == expected(row, k), "\(sort) \(width) \(k) \(seed)")
      }
    }
  }

  @Test func equalEntriesAreKeptFromTheFront() {
    #expect(kept([0.2, 0.2, 0.2, 0.2, 0.2], 2) == [0, 1])
    #expect(kept([0.1, 0.3, 0.3, 0.3], 2) == [1, 2])
  }

  /// The sums of a row are those of a loop.
  @Test(arguments: [(5, 2), (16, 4), (65, 8), (197, 20)])
  func sumsAreThoseOfALoop(_ width: Int, _ k: Int) {
    let row = CountedValues.uniform("row", count: width).map { abs($0) }
    let selection = row.withUnsafeBufferPointer {
      TopK.select($0.baseAddress!, width: width, k: k)
    }
    let sums = row.withUnsafeBufferPointer {
      RowTail.sums($0.baseAddress!, width: width, selection)
    }
    let kept = expected(row, k)
    let rest = row.indices.filter { !kept.contains($0) }.map { row[$0] }
    func close(_ a: Float, _ b: Float) -> Bool { isClose(a, b, absolute: 1e-5 * max(1, b)) }
    #expect(close(sums.tail, rest.reduce(0, +)))
    #expect(close(sums.residual, rest.reduce(0) { $0 + $1 * $1 }))
    #expect(close(sums.mass, row.reduce(0, +)))
    #expect(close(sums.energy, row.reduce(0) { $0 + $1 * $1 }))
  }
}
