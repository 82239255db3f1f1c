import Attacks
import Autograd
import Collectives
import Configuration
import Datasets
import Networks
import Tensors

/// How a model's attention is looked at while it trains.
public struct AttentionEvaluationOptions: Configurable {
  /// Images, evenly spaced over the data set; 0 for no look at it.
  public var samples = 0
  /// K of the mass outside the K largest: tokens from 1 up, or a part of the row below 1.
  public var k = 0.25
  /// The part of the patches that is replaced by noise to see how stable attention is.
  public var rho = 0.1

  public init() {}

  public func validate() throws {
    guard samples >= 0 else {
      throw ConfigurationError(
        "samples", "is \(samples)", remedy: "Give 0 for none, or a number of images")
    }
    guard k > 0, k < 1 || k == k.rounded() else {
      throw ConfigurationError(
        "k", "is \(k)", remedy: "Give a number of tokens from 1 up, or a part below 1")
    }
    guard (0...1).contains(rho) else {
      throw ConfigurationError("rho", "is \(rho)", remedy: "Give a part from 0 to 1")
    }
  }
}

/// What the attention weights of each layer look like, as means over images, heads and queries.
public struct AttentionReport: Codable, Sendable, Equatable {
  public struct Layer: Codable, Sendable, Equatable {
    /// Hoyer's measure of the rows: 0 uniform, 1 all on one token.
    public var hoyer = 0.0
    /// Mass outside the K largest.
    public var tail = 0.0
    /// Cosine between the maps of an image and of the image with occluded patches.
    public var stability = 0.0

    public init() {}
  }

  public var layers: [Layer] = []
  public var samples = 0

  public init() {}

  /// Mean over the layers.
  public var hoyer: Double { mean(\.hoyer) }
  public var stability: Double { mean(\.stability) }

  private func mean(_ path: KeyPath<Layer, Double>) -> Double {
    layers.reduce(0) { $0 + $1[keyPath: path] } / Double(max(layers.count, 1))
  }
}

/// Measures the attention of a classifier on a fixed subset of images, on all ranks with the same
/// bits: sums are made chunk by chunk and added in the order of the chunks.
public final class AttentionEvaluation {
  /// Where this rank notes its progress.
  public var marks = Marks.none
  private let options: AttentionEvaluationOptions
  private let subset: SampleSubset
  private let pipeline: EvaluationPipeline
  private let communicator: any Communicator
  private let products: any MatrixProducts
  private let team: ThreadTeam
  private let loaderPool = BufferPool()

  public init(
    _ options: AttentionEvaluationOptions, of source: any SampleSource, image: ImageShape,
    preparation: EvaluationOptions, decoding: DecodingOptions, communicator: any Communicator,
    products: any MatrixProducts, pool: BufferPool, team: ThreadTeam? = nil
  ) throws {
    self.options = options
    subset = SampleSubset(source, count: options.samples)
    pipeline = try EvaluationPipeline(
      source: subset, image: image, chunkSize: 8, options: preparation, decoding: decoding)
    (self.communicator, self.products) = (communicator, products)
    self.team = team ?? ThreadTeam(1, pool: pool)
  }

  /// The same report on all ranks.
  public func evaluate(
    _ model: any Classifier, _ parameters: ParameterSlab
  ) throws -> AttentionReport {
    let (rank, ranks, chunks) = (communicator.rank, communicator.size, pipeline.chunkCount)
    let mine = rank * chunks / ranks..<(rank + 1) * chunks / ranks
    let prefetcher = Prefetcher(
      pipeline, mine, threads: 1, depth: Evaluator.chunksAhead * team.size, pool: loaderPool)
    var sums: [Double] = []
    while let turn = try prefetcher.next(upTo: team.size) {
      marks(.evaluate, sums.count)
      let chunks = try team.map(turn) { [self] _, batch, pool in
        try chunkSums(batch, model, parameters, pool)
      }
      for chunk in chunks { sums += chunk }
    }
    marks(.score)
    return report(try communicator.allGather(sums), model.attentions)
  }

  /// Samples, then Σ Hoyer, Σ tail and Σ cosine of every layer.
  private func chunkSums(
    _ batch: Batch, _ model: any Classifier, _ parameters: ParameterSlab, _ pool: BufferPool
  ) throws -> [Double] {
    var occlusion = PatchOcclusion()
    occlusion.rho = options.rho
    let keys = AttackKeys(seed: 0, samples: batch.samples.map { subset.indices[$0] })
    let victim = NetworkVictim(model, parameters, products: products, pool: pool)
    let occluded = try occlusion.perturb(
      batch.images, .labels(batch.labels.map(\.label)), of: victim, keys: keys, pool: pool)
    let names = model.attentions.map(\.name)
    func maps(_ images: Tensor) -> [String: Variable] {
      let taps = Taps(names)
      let cx = Context(parameters: parameters, products: products, pool: pool, taps: taps)
      _ = model(Variable(images), cx)
      return taps.values
    }
    let (clean, noisy) = (maps(batch.images), maps(occluded))
    return [Double(batch.count)]
      + model.attentions.flatMap { layer -> [Double] in
        guard let a = clean[layer.name]?.tensor, let b = noisy[layer.name]?.tensor else {
          return [0, 0, 0]
        }
        let sparsity = RowSparsity(of: a, keeping: layer.count(options.k))
        let rows = Double(sparsity.rows)
        return [
          sparsity.hoyer / rows * Double(batch.count), sparsity.tail / rows * Double(batch.count),
          Self.cosines(a, b) * Double(batch.count),
        ]
      }
  }

  /// Mean cosine between the maps of all images and heads.
  private static func cosines(_ a: Tensor, _ b: Tensor) -> Double {
    let maps = a.shape[0] * a.shape[1]
    let size = a.count / maps
    let sum = (0..<maps).reduce(0.0) { sum, map in
      let (x, y) = (UnsafePointer(a.pointer + map * size), UnsafePointer(b.pointer + map * size))
      let dot = Double(Elementwise.dot(x, y, count: size))
      let norms =
        Double(Elementwise.dot(x, x, count: size)) * Double(Elementwise.dot(y, y, count: size))
      return sum + dot / max(norms.squareRoot(), 1e-12)
    }
    return sum / Double(maps)
  }

  private func report(_ chunks: [Double], _ attentions: [AttentionTap]) -> AttentionReport {
    let width = 1 + 3 * attentions.count
    func total(_ column: Int) -> Double {
      stride(from: column, to: chunks.count, by: width).reduce(0) { $0 + chunks[$1] }
    }
    var report = AttentionReport()
    report.samples = Int(total(0))
    let count = max(total(0), 1)
    report.layers = attentions.indices.map { layer in
      var result = AttentionReport.Layer()
      result.hoyer = total(1 + 3 * layer) / count
      result.tail = total(2 + 3 * layer) / count
      result.stability = total(3 + 3 * layer) / count
      return result
    }
    return report
  }
}
