extension GradientReducer {
  /// This rank's shards whose gradients of the reduced step are not finite. Costs a pass over the slab
  /// where the last shard is added to nothing; to be asked when the sum is found not finite.
  ///
  /// Empty on all ranks if every shard was finite and only a sum overflowed.
  package func nonFiniteShards() -> [Int] {
    precondition(state == .reduced, "shards were asked for in state \(state)")
    let last = localShards.upperBound - 1
    let wasAdded = merges[merges.count - 1] > 0
    let isFinite = wasAdded ? isLastFinite : isSentSlabFinite
    return isFinite ? nonFinite : nonFinite + [last]
  }

  /// Whether the slab that was sent is finite. Where this rank is the owner the total lies now; if it
  /// is not finite although all that came from others is, this rank's own part was not.
  private var isSentSlabFinite: Bool {
    partition.buckets.indices.allSatisfy { bucket in
      let range = partition.buckets[bucket]
      let mine = partition.part(of: bucket, rank: communicator.rank)
      func isFinite(_ range: Range<Int>) -> Bool {
        SlabKernels.isFinite(slab.pointer + range.lowerBound, count: range.count)
      }
      return isFinite(range.lowerBound..<mine.lowerBound)
        && isFinite(mine.upperBound..<range.upperBound)
        && (isFinite(mine) || !exchange.areRemotePartsFinite(of: bucket))
    }
  }
}
