import Collectives
import Testing

@Suite struct CanonicalTreeTests {
  /// Symbolic addition: the text tells the order, so equal texts are equal bits for any values.
  private static func symbol(_ node: Range<Int>) -> String {
    guard let (left, right) = CanonicalTree.children(of: node) else { return "\(node.lowerBound)" }
    return "(\(symbol(left))+\(symbol(right)))"
  }

  private static func run(_ symbols: [String], _ merges: [Int]) -> [String] {
    var stack: [String] = []
    for (symbol, count) in zip(symbols, merges) {
      stack.append(symbol)
      for _ in 0..<count {
        let right = stack.removeLast()
        stack.append("(\(stack.removeLast())+\(right))")
      }
    }
    return stack
  }

  /// For every V to 40 and every P to V: ranks partition the leaves, nodes partition each rank's
  /// range and are few, and two-stage addition is the tree itself.
  @Test func everyDecompositionGivesTheTree() {
    for leaves in 1...40 {
      let tree = CanonicalTree(leaves: leaves)
      let whole = Self.symbol(0..<leaves)
      let depth = Int.bitWidth - (leaves - 1).leadingZeroBitCount
      for ranks in 1...leaves {
        var parts: [Range<Int>] = []
        for rank in 0..<ranks {
          let mine = ShardAssignment(even: tree.leaves, ranks: ranks).shards(of: rank)
          #expect(mine.lowerBound == (rank == 0 ? 0 : parts.last!.upperBound) && !mine.isEmpty)
          let nodes = tree.nodes(covering: mine)
          #expect(nodes.count <= max(1, 2 * depth))
          #expect(nodes.flatMap { Array($0) } == Array(mine))
          for node in nodes {
            let inner = Self.run(node.map(String.init), CanonicalTree.merges(inside: node))
            #expect(inner == [Self.symbol(node)])
          }
          parts += nodes
        }
        #expect(parts.last!.upperBound == leaves)
        #expect(Self.run(parts.map(Self.symbol), tree.merges(of: parts)) == [whole])
      }
    }
  }

  /// With a power of two of ranks that divides V no node is cut, so each rank sends one sum.
  @Test func powersOfTwoAreSingleNodes() {
    for leaves in 1...100 {
      let tree = CanonicalTree(leaves: leaves)
      for ranks in [1, 2, 4, 8, 16, 32] where leaves % ranks == 0 {
        for rank in 0..<ranks {
          #expect(
            tree.nodes(covering: ShardAssignment(even: tree.leaves, ranks: ranks).shards(of: rank))
              .count == 1)
        }
      }
    }
  }

  @Test func sumFollowsTheTree() {
    #expect(CanonicalTree(leaves: 1).sum([3]) == 3)
    // 1 + 1e16 is lost, 1e16 - 1e16 is not: only ((a+b)+(c+d)) gives 0 here, left to right 1.
    #expect(CanonicalTree(leaves: 4).sum([1e16, -1e16, 1, 1e-17]) == 1)
    #expect(CanonicalTree(leaves: 4).sum([1e16, 1, -1e16, 0]) == 0)
    #expect(CanonicalTree(leaves: 3).sum([1, 1e16, -1e16]) == 1)
  }
}
