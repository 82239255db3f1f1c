import Archives
import Attacks
import Collectives
import Datasets
import Networks
import Tensors
import Training

/// A trained model over a data set: scores, or the logits of every image.
public struct Inference {
  public var network: Network
  public var data: [String]
  public var split = ""
  public var options = EvaluationOptions()
  public var chunk = 32
  public var loaderThreads = 1
  public var precision = Precision.f32
  /// Where this rank notes its progress.
  public var marks = Marks.none

  public init(_ network: Network, data: [String]) {
    self.network = network
    self.data = data
  }

  /// - Throws: also `CollectiveError`, on all ranks, if they find other data under the same names.
  private func open(on communicator: any Communicator) throws -> ShardSet {
    let source = try ShardSet(paths: data, split: split, sharedBy: communicator)
    try Agreement.check([("data", source.fingerprint)], on: communicator)
    return source
  }

  private func evaluator(
    _ source: ShardSet, _ communicator: any Communicator, _ pool: BufferPool
  ) throws -> Evaluator {
    let description = network.model.description
    try description.check(source, path: data.joined(separator: ", "))
    let pipeline = try EvaluationPipeline(
      source: source, image: description.imageShape, chunkSize: chunk, options: options)
    let evaluator = Evaluator(
      pipeline, communicator: communicator, products: precision.products(from: pool), pool: pool,
      threads: loaderThreads)
    evaluator.marks = marks
    evaluator.keepsLayouts = true
    return evaluator
  }

  /// The same result on all ranks.
  public func evaluate(on communicator: any Communicator, pool: BufferPool) throws
    -> EvaluationResult
  {
    let source = try open(on: communicator)
    return try evaluator(source, communicator, pool).evaluate(network.model, network.parameters)
  }

  /// How the model stands up to attacks: the same report on all ranks, its seconds aside.
  public func attack(
    _ attacks: RobustEvaluationOptions, on communicator: any Communicator, pool: BufferPool,
    progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) throws -> RobustReport {
    let source = try open(on: communicator)
    let description = network.model.description
    try description.check(source, path: data.joined(separator: ", "))
    let evaluation = try RobustEvaluation(
      attacks, of: source, image: description.imageShape, preparation: options,
      communicator: communicator, products: precision.products(from: pool), pool: pool,
      threads: loaderThreads)
    evaluation.marks = marks
    return try evaluation.evaluate(network.model, network.parameters, progress: progress)
  }

  /// What the model's attention looks like: the same report on all ranks.
  public func attention(
    _ options: AttentionEvaluationOptions, on communicator: any Communicator, pool: BufferPool
  ) throws -> AttentionReport {
    let source = try open(on: communicator)
    let description = network.model.description
    try description.check(source, path: data.joined(separator: ", "))
    let evaluation = try AttentionEvaluation(
      options, of: source, image: description.imageShape, preparation: self.options,
      decoding: DecodingOptions(), communicator: communicator,
      products: precision.products(from: pool),
      pool: pool)
    evaluation.marks = marks
    return try evaluation.evaluate(network.model, network.parameters)
  }

  /// Writes `/logits` f32 `[N, classes]` and `/labels` int64 `[N]` to an HDF5 file; how many images.
  public func predict(
    to path: String, on communicator: any Communicator, pool: BufferPool
  ) throws -> Int {
    let source = try open(on: communicator)
    let (logits, labels) = try evaluator(source, communicator, pool)
      .predict(network.model, network.parameters)
    marks(.score)
    let allLogits = try communicator.gather(logits, to: 0)
    let allLabels = try communicator.gather(labels, to: 0)
    guard communicator.isRoot else { return source.count }
    marks(.finish)
    let classes = network.model.description.classes
    let partial = path + ".partial"
    let file = try HDF5File(creating: partial)
    try file.write("logits", allLogits, shape: [allLabels.count, classes])
    try file.write("labels", allLabels, shape: [allLabels.count])
    try file.close()
    try FileSystem.synchronizeFile(partial)
    try FileSystem.rename(partial, to: path)
    return allLabels.count
  }
}
