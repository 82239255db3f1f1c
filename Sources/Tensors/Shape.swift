/// The extents of a dense row-major array, outermost first: `[batch, tokens, width]`.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  public let extents: [Int]
  /// Product of the extents: the number of elements.
  public let count: Int

  public init(_ extents: [Int]) {
    precondition(extents.allSatisfy { $0 >= 0 }, "negative extent in \(extents)")
    self.extents = extents
    self.count = extents.reduce(1, *)
  }

  public init(arrayLiteral elements: Int...) { self.init(elements) }

  public var rank: Int { extents.count }

  public subscript(axis: Int) -> Int { extents[axis < 0 ? axis + extents.count : axis] }

  /// All extents but the last multiplied: a matrix's row count when the last axis is the row.
  public var rows: Int { extents.dropLast().reduce(1, *) }

  public var description: String { "[" + extents.map(String.init).joined(separator: ", ") + "]" }
}
