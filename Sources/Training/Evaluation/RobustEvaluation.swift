import Attacks
import Autograd
import Collectives
import Configuration
import Datasets
import Networks
import Tensors

/// Judges a classifier by its answers to attacked images, on all ranks.
///
/// The images are cut into chunks of fixed size by index, which the ranks take in turn, and every
/// sample's record is gathered before anything is added up: the report has the same bits on any
/// number of ranks.
public final class RobustEvaluation {
  /// Where this rank notes its progress.
  public var marks = Marks.none
  private let options: RobustEvaluationOptions
  private let subset: SampleSubset
  private let pipeline: EvaluationPipeline
  private let communicator: any Communicator
  private let products: any MatrixProducts
  private let team: ThreadTeam
  /// Blocks that loader threads take never are blocks of an attack.
  private let loaderPool = BufferPool()
  private let threads: Int

  /// - Parameters:
  ///   - image: what the model takes.
  ///   - preparation: how images are brought to that size.
  ///   - team: attacks as many chunks at the same time; the caller alone by default.
  ///   - threads: that load images.
  public init(
    _ options: RobustEvaluationOptions, of source: any SampleSource, image: ImageShape,
    preparation: EvaluationOptions = EvaluationOptions(),
    decoding: DecodingOptions = DecodingOptions(), communicator: any Communicator,
    products: any MatrixProducts, pool: BufferPool, team: ThreadTeam? = nil, threads: Int = 1
  ) throws {
    self.options = try options.validated()
    subset = SampleSubset(source, count: options.samples)
    pipeline = try EvaluationPipeline(
      source: subset, image: image, chunkSize: options.chunk, options: preparation,
      decoding: decoding)
    (self.communicator, self.products) = (communicator, products)
    (self.team, self.threads) = (team ?? ThreadTeam(1, pool: pool), threads)
  }

  /// The same report on all ranks, its seconds aside.
  ///
  /// - Parameter progress: called on this rank after every chunk with the images done, of all.
  public func evaluate(
    _ model: any Classifier, _ parameters: ParameterSlab,
    progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) throws -> RobustReport {
    let start = ContinuousClock.now
    var records = [[AttackRecord]](repeating: [], count: options.attacks.count)
    let chunks = stride(
      from: communicator.rank, to: pipeline.chunkCount, by: communicator.size)
    let prefetcher = Prefetcher(
      pipeline, chunks, threads: threads, depth: Evaluator.chunksAhead * team.size,
      pool: loaderPool)
    var done = 0
    marks(.evaluate)
    while let turn = try prefetcher.next(upTo: team.size) {
      let images = done
      let chunks = try team.map(turn) { [self] member, batch, pool in
        // One member speaks for the rank: the watchdog's marks are of one thread.
        let victim = MarkedVictim(
          NetworkVictim(model, parameters, products: products, pool: pool),
          member == 0 ? marks : .none)
        victim.chunk = images
        let trial = try trial(batch, victim, pool)
        return try options.attacks.map { try trial.records(of: $0) }
      }
      for chunk in chunks {
        for (number, new) in chunk.enumerated() { records[number] += new }
      }
      done += turn.reduce(0) { $0 + $1.count }
      progress(done * communicator.size, subset.count)
    }
    marks(.score)
    var report = RobustReport(options.attacks, try records.map(gathered))
    report.seconds = (ContinuousClock.now - start).inSeconds
    return report
  }

  private func trial(
    _ batch: Batch, _ victim: any Victim, _ pool: BufferPool
  ) throws -> BatchTrial {
    let keys = AttackKeys(
      seed: UInt64(options.seed), samples: batch.samples.map { subset.indices[$0] })
    return try BatchTrial(
      batch.images, labels: batch.labels.map(\.label), keys: keys, victim: victim, pool: pool)
  }

  /// Every rank's records, in the order of the data set.
  private func gathered(_ records: [AttackRecord]) throws -> [AttackRecord] {
    try communicator.allGather(records).sorted { $0.sample < $1.sample }
  }
}
