import Attacks
import Collectives
import Configuration
import Datasets
import Networks
import Tensors
import TestSupport
import Testing
import Training

/// Judging by attacks on all ranks: the same report whoever does which part.
@Suite struct RobustEvaluationTests {
  /// Raw images of counted bytes, whose labels are given.
  struct CountedSource: SampleSource {
    let labels: [Int]
    var count: Int { labels.count }
    var classes: [String] { (0..<10).map { "\($0)" } }
    func label(_ index: Int) -> Int { labels[index] }
    func describe(_ index: Int) -> String { "image \(index)" }

    func read(_ index: Int, into bytes: inout [UInt8]) -> StoredImage {
      let key = RandomKey(seed: 9, .synthesis, sample: index)
      bytes = (0..<64).map { UInt8(truncatingIfNeeded: key.bits($0)) }
      return .raw(width: 8, height: 8, channels: 1)
    }
  }

  static func network(_ pool: BufferPool) -> Network {
    var options = VisionTransformer()
    (options.imageSize, options.patchSize, options.channels) = (8, 2, 1)
    (options.width, options.depth, options.heads, options.mlpRatio) = (32, 2, 2, 2)
    (options.classes, options.mean, options.deviation) = (10, [0.5], [0.25])
    let network = Network(options, seed: 1, pool: pool)
    network.parameters.fillWithCountedValues()
    return network
  }

  /// Labels that the network gives itself, but for every seventh.
  static func source(_ count: Int) throws -> CountedSource {
    let pool = BufferPool()
    let network = network(pool)
    let plain = CountedSource(labels: Array(repeating: 0, count: count))
    let pipeline = try EvaluationPipeline(
      source: plain, image: ImageShape(size: 8, channels: 1), chunkSize: 8)
    let (logits, _) = try Evaluator(
      pipeline, communicator: SoloCommunicator(), products: OpenBLASProducts(), pool: pool
    ).predict(network.model, network.parameters)
    return CountedSource(
      labels: (0..<count).map { row in
        let z = Array(logits[row * 10..<(row + 1) * 10])
        let said = z.firstIndex(of: z.max()!)!
        return row % 7 == 3 ? (said + 1) % 10 : said
      })
  }

  static func options(samples: Int = 0) throws -> RobustEvaluationOptions {
    try RobustEvaluationOptions(
      yaml: """
        attacks:
        - {kind: pgd, epsilon: 0.02, steps: 4, restarts: 2}
        - fgsm
        - {kind: pgd, epsilon: 0.05, steps: 3, target: random}
        samples: \(samples)
        """)
  }

  private func report(
    ranks: Int, _ options: RobustEvaluationOptions, _ source: CountedSource
  ) throws -> [RobustReport] {
    try ThreadCommunicator.run(ranks: ranks) { communicator in
      let pool = BufferPool()
      let network = Self.network(pool)
      let evaluation = try RobustEvaluation(
        options, of: source, image: ImageShape(size: 8, channels: 1),
        communicator: communicator, products: OpenBLASProducts(), pool: pool)
      return try evaluation.evaluate(network.model, network.parameters)
    }
  }

  @Test func theReportIsTheSameOnAnyNumberOfRanks() throws {
    let source = try Self.source(61)
    let options = try Self.options()
    let alone = try report(ranks: 1, options, source)[0]
    #expect(alone.samples == 61 && alone.cleanAccuracy.hits == 52)
    #expect(alone.attacks.map(\.attack.kind) == ["pgd", "fgsm", "pgd"])
    for attack in alone.attacks { #expect(attack.successOfCorrect.of == 52) }
    #expect(alone.attacks[0].robustAccuracy.hits < 52, "the attack did nothing")
    #expect(alone.worstCase.hits <= alone.attacks.map(\.robustAccuracy.hits).min()!)
    #expect(alone.attacks[2].targetHits.of == 52)
    for ranks in [2, 3, 4, 11] {
      for other in try report(ranks: ranks, options, source) {
        #expect(other.agrees(with: alone), "\(ranks) ranks")
      }
    }
  }

  /// An image keeps its index in the data set, and so its random start, in a subset.
  @Test func subsetsAreSpacedEvenly() throws {
    let source = try Self.source(61)
    let report = try report(ranks: 2, try Self.options(samples: 10), source)[0]
    #expect(report.samples == 10)
    let spaced = (0..<10).map { $0 * 61 / 10 }
    let expected = spaced.filter { $0 % 7 != 3 }.count
    #expect(report.cleanAccuracy.hits == expected)
    #expect(try self.report(ranks: 1, try Self.options(samples: 100), source)[0].samples == 61)
  }

  @Test func moreRanksThanChunksAndNoImages() throws {
    let few = try Self.source(3)
    let reports = try report(ranks: 4, try Self.options(), few)
    #expect(reports.allSatisfy { $0.samples == 3 && $0.agrees(with: reports[0]) })
    let none = try report(ranks: 2, try Self.options(), CountedSource(labels: []))
    #expect(none.allSatisfy { $0.samples == 0 && $0.worstCase.of == 0 })
  }

  /// A rank whose weights are not finite ends the evaluation of all, naming the sample.
  @Test func brokenWeightsEndAllRanks() throws {
    let source = try Self.source(20)
    let options = try Self.options()
    let error = #expect(throws: AttackError.self) {
      try ThreadCommunicator.run(ranks: 2) { communicator in
        let pool = BufferPool()
        let network = Self.network(pool)
        if communicator.rank == 1 { network.parameters.values[0] = .nan }
        let evaluation = try RobustEvaluation(
          options, of: source, image: ImageShape(size: 8, channels: 1),
          communicator: communicator, products: OpenBLASProducts(), pool: pool)
        return try evaluation.evaluate(network.model, network.parameters)
      }
    }
    #expect(error?.description.contains("sample 8: the model's scores are not finite") == true)
  }

  @Test(arguments: ["samples: -1", "chunk: 0", "attacks: [{kind: pgd, steps: 0}]", "attacks: [x]"])
  func badOptionsAreRefused(_ yaml: String) {
    #expect(throws: ConfigurationError.self) { try RobustEvaluationOptions(yaml: yaml) }
  }
}
