import Collectives
import Tensors

/// The upper part of the canonical tree, evaluated by the owner of a slice over the sums that the
/// ranks have sent: a small stack program, run chunk by chunk so that intermediate sums stay in the
/// first-level cache.
struct TreeFinish {
  private static let chunk = 1024

  /// Ranks whose nodes the parts are, left to right over the leaves.
  let owners: [Int]
  private let merges: [Int]
  private let scratch: Buffer
  private let stack: UnsafeMutablePointer<SlabKernels.Pointer>
  private let additions: Int

  init(_ assignment: ShardAssignment, pool: BufferPool) {
    let tree = CanonicalTree(leaves: assignment.shards)
    var parts: [CanonicalTree.Node] = []
    var owners: [Int] = []
    for rank in 0..<assignment.ranks {
      let nodes = tree.nodes(covering: assignment.shards(of: rank))
      parts += nodes
      owners += nodes.map { _ in rank }
    }
    self.owners = owners
    merges = tree.merges(of: parts)
    additions = merges.reduce(0, +)
    scratch = pool.take((parts.count + 1) * Self.chunk)
    stack = .allocate(capacity: parts.count + 1)
  }

  func deallocate() { stack.deallocate() }

  /// Adds the parts, `count` elements each, into `target`, which may be one of them.
  func run(
    _ parts: UnsafeBufferPointer<SlabKernels.Pointer>, into target: SlabKernels.Pointer, count: Int
  ) {
    precondition(parts.count == merges.count, "\(parts.count) parts for a tree of \(merges.count)")
    if additions == 0 { return }
    var start = 0
    while start < count {
      let length = min(Self.chunk, count - start)
      var depth = 0
      var added = 0
      for (part, merges) in zip(parts, merges) {
        stack[depth] = part + start
        depth += 1
        for _ in 0..<merges {
          depth -= 1
          added += 1
          // Entry d of the stack has chunk d of the scratch memory; the last sum is the result.
          let sum = added == additions ? target + start : scratch.pointer + (depth - 1) * Self.chunk
          SlabKernels.add(stack[depth - 1], stack[depth], into: sum, count: length)
          stack[depth - 1] = sum
        }
      }
      start += length
    }
  }
}
