import Autograd

/// Inside a rank: shards are computed turn by turn, as many at the same time as there are threads, and
/// folded into the stack in their order, so that the sums are those of one thread.
extension GradientReducer {
  /// The shards whose gradients are being added now, one a thread.
  public var currentShards: Range<Int> {
    guard case .accumulating(let done) = state else {
      preconditionFailure("no shard is accumulated in state \(state)")
    }
    let first = localShards.lowerBound + done
    return first..<min(first + slabs.count, localShards.upperBound)
  }

  /// Whether these are this rank's last of the step.
  public var isLastTurn: Bool { currentShards.upperBound == localShards.upperBound }

  /// First element of the slab into which one of the current shards adds its gradient; zero when the
  /// turn begins.
  public func gradient(of shard: Int) -> UnsafeMutablePointer<Float> {
    slabs[currentShards.upperBound - 1 - shard].pointer
  }

  /// Ends a turn: each member of the team folds the turn's shards on a part of the slab. A last shard
  /// that had its turn alone is left to `finish`, which sends it bucket by bucket.
  public func finishTurn(_ team: ThreadTeam) throws {
    if isLastShard { return }
    let start = ContinuousClock.now
    let shards = currentShards
    let blocks = progress.count / ParameterLayout.blockSize
    let parts = min(team.size, blocks)
    var finite = [Bool](repeating: true, count: parts * shards.count)
    try finite.withUnsafeMutableBufferPointer { buffer in
      let finite = buffer
      try team.run(parts) { [self] part in
        let range = blocks * part / parts..<blocks * (part + 1) / parts
        fold(
          shards,
          on: range.lowerBound * ParameterLayout.blockSize..<range.upperBound
            * ParameterLayout.blockSize,
          finite: UnsafeMutableBufferPointer(
            rebasing: finite[part * shards.count..<(part + 1) * shards.count]))
      }
    }
    advance(over: shards) { place in
      stride(from: place, to: finite.count, by: shards.count).allSatisfy { finite[$0] }
    }
    timings.merge += ContinuousClock.now - start
  }

  /// Ends a shard other than the last, of a reducer for one thread: its subtree is added to the finished
  /// ones that it completes.
  public func finishShard() {
    guard case .accumulating(let done) = state, done < localShards.count - 1, slabs.count == 1
    else {
      preconditionFailure("finishShard in state \(state) of \(localShards.count) shards")
    }
    let start = ContinuousClock.now
    let shards = currentShards
    var finite = [true]
    finite.withUnsafeMutableBufferPointer { fold(shards, on: 0..<progress.count, finite: $0) }
    advance(over: shards) { finite[$0] }
    timings.merge += ContinuousClock.now - start
  }

  /// Adds the turn's shards, in their order, to the subtrees that they complete, on a part of the slab.
  private func fold(
    _ shards: Range<Int>, on range: Range<Int>, finite: UnsafeMutableBufferPointer<Bool>
  ) {
    var depth = depth
    for shard in shards {
      let current = gradient(of: shard) + range.lowerBound
      let count = merges[shard - localShards.lowerBound]
      let isLast = shard == localShards.upperBound - 1
      // The last sum stays where it is, and needs no pass if nothing is added to it.
      if isLast, count == 0 { continue }
      withTerms(count, depth: depth, at: range.lowerBound) { terms in
        let target = isLast ? current : pending[depth - count].pointer + range.lowerBound
        finite[shard - shards.lowerBound] = SlabKernels.fold(
          current, terms: terms, into: target, count: range.count)
      }
      if !isLast { depth += 1 - count }
    }
  }

  /// Notes that the shards were folded.
  private func advance(over shards: Range<Int>, isFinite: (_ place: Int) -> Bool) {
    let last = localShards.upperBound - 1
    for shard in shards {
      let finite = isFinite(shard - shards.lowerBound)
      if shard == last {
        (isMerged, isLastFinite) = (true, finite)
      } else {
        if !finite { nonFinite.append(shard) }
        depth += 1 - merges[shard - localShards.lowerBound]
      }
    }
    state = .accumulating(min(shards.upperBound, last) - localShards.lowerBound)
  }

  /// The top `count` entries of a stack of `depth`, topmost first, from element `offset` on.
  func withTerms(
    _ count: Int, depth: Int, at offset: Int,
    _ body: (UnsafeBufferPointer<SlabKernels.Pointer>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: SlabKernels.Pointer.self, capacity: count + 1) { terms in
      for i in 0..<count { terms[i] = pending[depth - 1 - i].pointer + offset }
      body(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(terms)[0..<count]))
    }
  }
}
