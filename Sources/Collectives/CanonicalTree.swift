/// The one order in which per-shard values are added: a balanced binary tree over the virtual
/// shards 0 ..< `leaves`, each node split in the middle (rounded down).
///
/// A sum over the tree depends on the shards only, not on which rank holds them; that is why any
/// number of ranks gives the same bits. With a power of two of ranks that divides V each rank's
/// shards are one node. Cf. pairwise summation in Higham, "Accuracy and Stability of Numerical
/// Algorithms", section 4.1.
public struct CanonicalTree: Sendable, Equatable {
  public typealias Node = Range<Int>

  public let leaves: Int

  public init(leaves: Int) {
    precondition(leaves >= 1, "a tree of \(leaves) leaves")
    self.leaves = leaves
  }

  /// The two halves of a node; nil for a leaf.
  public static func children(of node: Node) -> (left: Node, right: Node)? {
    if node.count == 1 { return nil }
    let middle = node.lowerBound + node.count / 2
    return (node.lowerBound..<middle, middle..<node.upperBound)
  }

  /// The largest nodes that make up a range of leaves, from left to right: at most 2 log2 V.
  public func nodes(covering range: Range<Int>) -> [Node] { Self.nodes(range, within: 0..<leaves) }

  private static func nodes(_ range: Range<Int>, within node: Node) -> [Node] {
    if !range.overlaps(node) { return [] }
    guard range.lowerBound > node.lowerBound || range.upperBound < node.upperBound,
      let (left, right) = children(of: node)
    else { return [node] }
    return nodes(range, within: left) + nodes(range, within: right)
  }

  /// How the values of `parts` (disjoint nodes, left to right, which cover the tree) are added: after
  /// pushing part i on a stack, add the top two entries `merges[i]` times. Ends with one entry.
  public func merges(of parts: [Node]) -> [Int] {
    var merges = [Int](repeating: 0, count: parts.count)
    Self.count(&merges, parts, within: 0..<leaves)
    return merges
  }

  /// The same inside one node, whose leaves are the parts.
  public static func merges(inside node: Node) -> [Int] {
    var merges = [Int](repeating: 0, count: node.count)
    count(&merges, node.map { $0..<$0 + 1 }, within: node)
    return merges
  }

  /// A node that is not a part itself is one addition, made when its last part has come.
  private static func count(_ merges: inout [Int], _ parts: [Node], within node: Node) {
    guard let last = parts.lastIndex(where: { $0.upperBound == node.upperBound }),
      parts[last] != node, let (left, right) = children(of: node)
    else { return }
    merges[last] += 1
    count(&merges, parts, within: left)
    count(&merges, parts, within: right)
  }

  /// The sum of one value a leaf.
  public func sum(_ values: [Double]) -> Double {
    precondition(values.count == leaves, "\(values.count) values for \(leaves) leaves")
    return Self.sum(values, 0..<leaves)
  }

  private static func sum(_ values: [Double], _ node: Node) -> Double {
    guard let (left, right) = children(of: node) else { return values[node.lowerBound] }
    return sum(values, left) + sum(values, right)
  }
}
