import Collectives

extension GradientReducer {
  /// In the last shard: the gradient on `range`, one or more whole parameters, is final. Buckets
  /// that are complete are summed and sent at once; the rest is for `finish`. In any order.
  public func ready(_ range: Range<Int>) throws {
    precondition(isLastShard, "ready(\(range)) in state \(state) of \(localShards.count) shards")
    try startIfFirst()
    try progress.note(range) { try start($0) }
    let begin = ContinuousClock.now
    try communicator.poll()
    try finishArrived()
    timings.exchange += ContinuousClock.now - begin
  }

  /// Completes the sum on `ownedRanges`. Parameters never reported as ready count as final now.
  public func finish() throws {
    precondition(isLastShard, "finish in state \(state) of \(localShards.count) shards")
    try startIfFirst()
    try progress.complete { try start($0) }
    let begin = ContinuousClock.now
    while let bucket = started.removeFirst() {
      marks(.reduce, bucket)
      try exchange.waitForReceives(of: bucket)
      finishBucket(bucket)
    }
    marks(.reduce, partition.buckets.count)
    try exchange.waitForSends()
    timings.exchange += ContinuousClock.now - begin
    state = .reduced
  }

  /// Copies every rank's owned slices of `values`, a slab of the same layout, to all ranks.
  public func gatherParameters(_ values: UnsafeMutablePointer<Float>) throws {
    if case .accumulating = state { preconditionFailure("weights gathered within a step") }
    marks(.gather)
    let begin = ContinuousClock.now
    try exchange.gather(values)
    timings.gather += ContinuousClock.now - begin
  }

  private func startIfFirst() throws {
    if started.isOpen { return }
    started.open()
    let begin = ContinuousClock.now
    try exchange.startReceives()
    timings.exchange += ContinuousClock.now - begin
  }

  /// Adds the last shard to the subtrees that it completes, on one bucket, and sends the slices.
  private func start(_ bucket: Int) throws {
    if !isMerged { merge(bucket) }
    let begin = ContinuousClock.now
    let count = depth - merges[merges.count - 1] + 1
    try exchange.startSends(of: bucket, nodes: node, count: count)
    started.append(bucket)
    timings.exchange += ContinuousClock.now - begin
  }

  private func merge(_ bucket: Int) {
    let count = merges[merges.count - 1]
    if count == 0 { return }
    let begin = ContinuousClock.now
    let range = partition.buckets[bucket]
    let target = slab.pointer + range.lowerBound
    withTerms(count, depth: depth, at: range.lowerBound) { terms in
      let isFinite = SlabKernels.fold(target, terms: terms, into: target, count: range.count)
      if !isFinite { isLastFinite = false }
    }
    timings.merge += ContinuousClock.now - begin
  }

  /// Makes this rank's sums final without sending anything, so that the exchange can be timed alone.
  func mergeLastShard() {
    precondition(isLastShard && !started.isOpen, "mergeLastShard in state \(state)")
    for bucket in partition.buckets.indices { merge(bucket) }
    isMerged = true
  }

  /// This rank's sums, left to right: those left on the stack, then the slab itself.
  private func node(_ index: Int) -> SlabKernels.Pointer {
    index < depth - merges[merges.count - 1] ? pending[index].pointer : slab.pointer
  }

  private func finishArrived() throws {
    while let bucket = started.first, try exchange.hasArrived(bucket) {
      _ = started.removeFirst()
      finishBucket(bucket)
    }
  }

  private func finishBucket(_ bucket: Int) {
    exchange.withParts(of: bucket, nodes: node) { parts, range in
      finisher.run(parts, into: slab.pointer + range.lowerBound, count: range.count)
    }
  }
}
