import Autograd
import Datasets
import Objectives
import Tensors

extension TrainingStep {
  /// Forward and backward passes of this rank's shards, as many at the same time as it has threads.
  ///
  /// - Returns: the seconds that took, without what the exchange took meanwhile.
  func accumulateShards(_ step: Int, _ batches: any ShardBatches) throws -> Double {
    var seconds = 0.0
    reducer.beginStep()
    var isLast = false
    while !isLast {
      let shards = reducer.currentShards
      isLast = reducer.isLastTurn
      let turn = try shards.map { shard in
        marks(.data, shard)
        return try batches.next()
      }
      // This thread's.
      marks(.compute, shards.upperBound - 1)
      let begin = ContinuousClock.now
      let sums = try accumulate(turn, shards, step)
      seconds += (ContinuousClock.now - begin).inSeconds
      for (shard, sums) in zip(shards, sums) { totals.add(sums, shard: shard) }
      try reducer.finishTurn(team)
    }
    // What the last shard's backward pass did of the exchange.
    return seconds - reducer.timings.exchange.inSeconds
  }

  /// The shards of a turn, each on a thread. The last is this thread's: its gradients may travel while
  /// they are computed.
  ///
  /// - Returns: loss and figures of each.
  private func accumulate(_ turn: [Batch], _ shards: Range<Int>, _ step: Int) throws -> [[Double]] {
    let places = Array((0..<turn.count).reversed())
    return try team.map(places) { [self] member, place, pool in
      let begin = ContinuousClock.now
      let worker = ShardWorker(
        shard: shards.lowerBound + place, step: step, pool: pool, isCaller: member == 0)
      let sums = try accumulate(turn[place], worker)
      slowDown(after: (ContinuousClock.now - begin).inSeconds)
      if worker.isCaller, turn.count > 1 { marks(.threads) }
      return sums
    }.reversed()
  }

  /// Who computes a shard, and with whose memory.
  private struct ShardWorker {
    let shard: Int
    let step: Int
    let pool: BufferPool
    /// Only the thread that takes the step leaves marks and talks to other ranks.
    let isCaller: Bool
  }

  /// Forward and backward of one shard, micro-batch by micro-batch.
  private func accumulate(_ batch: Batch, _ worker: ShardWorker) throws -> [Double] {
    let (shard, step) = (worker.shard, worker.step)
    let gradients = reducer.gradient(of: shard)
    spoil(gradients, shard: shard, step: step + 1)
    // Of the last batch of an epoch a shard may hold nothing: it adds nothing, and says so.
    var sums = [Double](repeating: 0, count: 1 + loss.figures.count)
    var failure: (any Error)?
    for first in stride(from: 0, to: batch.count, by: plan.microBatch) {
      if first > 0, worker.isCaller { marks(.compute, shard) }
      let range = first..<min(first + plan.microBatch, batch.count)
      // Gradients are final, and may travel, only when the last micro-batch of the last shard adds; with
      // others of its turn at work the sums are not final before they are.
      let isLast = reducer.isLastShard && range.upperBound == batch.count
      let ready: ((Parameter) -> Void)? =
        isLast && overlapsExchange
        ? { [reducer] parameter in
          guard failure == nil else { return }
          do { try reducer.ready(parameter.range) } catch { failure = error }
        } : nil
      let pass = Pass(
        batch.slice(range), of: plan.moment(of: step), seed: plan.seed,
        sampleWeight: 1 / Float(plan.samples(in: step)), model: network.model,
        parameters: network.parameters, teacher: teacher,
        memory: memory?.rows(range, shard: shard), products: products, pool: worker.pool,
        gradients: gradients, onParameterReady: ready)
      let contribution = try loss.accumulate(pass)
      if let failure { throw failure }
      sums[0] += contribution.loss
      for (i, figure) in contribution.figures.enumerated() { sums[i + 1] += figure }
    }
    return sums
  }
}
