import Autograd
import Collectives
import Datasets
import Networks
import Tensors

/// Scores of a classifier on a data set: every sample counted once.
public struct EvaluationResult: Codable, Sendable, Equatable {
  public var samples = 0
  /// Part of the samples whose label has the highest score; samples with ties for it count as hits.
  public var accuracy = 0.0
  /// Part whose label is among the five highest.
  public var top5 = 0.0
  /// Mean cross-entropy.
  public var loss = 0.0
  /// Images left out because they are corrupt (`corruptImages: skip`).
  public var skipped = 0
  public var seconds = 0.0

  public init() {}
}

/// Runs a classifier over a data set on all ranks.
///
/// The data set is cut into chunks of fixed size by index, which the ranks share out; sums are made
/// per chunk and added in the order of the chunks, so the scores have the same bits on any number
/// of ranks.
public final class Evaluator {
  /// Chunks of images that are held ready for each thread at most.
  public static let chunksAhead = 4

  /// Where this rank notes its progress.
  public var marks = Marks.none
  /// Whether weights are laid out once for all chunks, in as much memory again as they take.
  public var keepsLayouts = false
  private let pipeline: EvaluationPipeline
  private let communicator: any Communicator
  private let products: any MatrixProducts
  private let team: ThreadTeam
  /// Blocks that loader threads take never are blocks of the forward pass.
  private let loaderPool = BufferPool()
  private let threads: Int

  /// - Parameters:
  ///   - team: takes as many chunks at the same time; the caller alone by default.
  ///   - threads: that load images, for each thread of the team.
  public init(
    _ pipeline: EvaluationPipeline, communicator: any Communicator, products: any MatrixProducts,
    pool: BufferPool, team: ThreadTeam? = nil, threads: Int = 1
  ) {
    self.pipeline = pipeline
    self.communicator = communicator
    self.products = products
    self.team = team ?? ThreadTeam(1, pool: pool)
    self.threads = threads
  }

  /// The same result on all ranks.
  public func evaluate(
    _ model: any Classifier, _ parameters: ParameterSlab
  ) throws -> EvaluationResult {
    let start = ContinuousClock.now
    var counts = [0, 0, 0]
    var losses: [Double] = []
    try forEachChunk(model, parameters) { batch, logits in
      let classes = logits.shape[1]
      var sum = 0.0
      for (row, label) in batch.labels.enumerated() {
        let scores = UnsafePointer(logits.pointer + row * classes)
        let rank = Self.rank(of: label.label, in: scores, classes)
        counts[0] += 1
        counts[1] += rank < 1 ? 1 : 0
        counts[2] += rank < 5 ? 1 : 0
        sum += logSumExp(scores, classes) - Double(scores[label.label])
      }
      losses.append(sum)
    }
    counts.append(pipeline.skippedSamples)
    marks(.score)
    let totals = try communicator.allReduce(counts, by: .sum)
    let loss = try communicator.allGather(losses).reduce(0, +)

    var result = EvaluationResult()
    result.samples = totals[0]
    let count = Double(max(totals[0], 1))
    result.accuracy = Double(totals[1]) / count
    result.top5 = Double(totals[2]) / count
    result.loss = loss / count
    result.skipped = totals[3]
    result.seconds = (ContinuousClock.now - start).inSeconds
    return result
  }

  /// The logits of this rank's samples, `[samples, classes]` in order, and their labels.
  public func predict(
    _ model: any Classifier, _ parameters: ParameterSlab
  ) throws -> (logits: [Float], labels: [Int64]) {
    var all: [Float] = []
    var labels: [Int64] = []
    try forEachChunk(model, parameters) { batch, logits in
      all.append(contentsOf: logits.elements)
      labels.append(contentsOf: batch.labels.map { Int64($0.label) })
    }
    return (all, labels)
  }

  private func forEachChunk(
    _ model: any Classifier, _ parameters: ParameterSlab,
    _ body: (Batch, _ logits: Tensor) throws -> Void
  ) throws {
    let (rank, ranks, chunks) = (communicator.rank, communicator.size, pipeline.chunkCount)
    let mine = rank * chunks / ranks..<(rank + 1) * chunks / ranks
    let prefetcher = Prefetcher(
      pipeline, mine, threads: threads * team.size, depth: Self.chunksAhead * team.size,
      pool: loaderPool)
    marks(.evaluate)
    let hold = keepsLayouts ? products.holdWeights() : nil
    defer { withExtendedLifetime(hold) {} }
    var chunk = 0
    while let turn = try prefetcher.next(upTo: team.size) {
      chunk += turn.count
      marks(.evaluate, chunk)
      let logits = try team.map(turn) { [products] _, batch, pool in
        let cx = Context(parameters: parameters, products: products, pool: pool)
        return model(Variable(batch.images), cx).prediction(cx).tensor
      }
      for (batch, logits) in zip(turn, logits) { try body(batch, logits) }
    }
  }

  /// How many classes score higher than the label; a label whose score is not a number is last.
  private static func rank(of label: Int, in scores: UnsafePointer<Float>, _ classes: Int) -> Int {
    let score = scores[label]
    if score.isNaN { return classes }
    return (0..<classes).reduce(0) { $0 + (scores[$1] > score ? 1 : 0) }
  }
}

extension Prefetcher {
  /// The next batches that hold images, at most so many; nil after the last.
  func next(upTo count: Int) throws -> [Batch]? {
    var batches: [Batch] = []
    while batches.count < count, let batch = try next() {
      if batch.count > 0 { batches.append(batch) }
    }
    return batches.isEmpty ? nil : batches
  }
}
