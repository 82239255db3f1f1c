import Autograd
import Collectives
import Datasets
import Networks
import Tensors

/// Times forward passes as an evaluation makes them, on images that never change.
public struct EvaluationBenchmark {
  /// What `bench evaluate --json` prints.
  public struct Result: Codable, Sendable {
    /// Of all ranks together, in the median pass of the slowest.
    public var imagesPerSecond = 0.0
    /// The machine's product rate in the same run, per core, 10⁹ operations a second.
    public var gemmGflops = 0.0
    /// 2 · multiply-adds of the whole model / time / that rate; the last block's tokens that nobody
    /// reads are not computed, so a little of it is algebra.
    public var mfu = 0.0
    /// Of the largest rank.
    public var peakRssBytes = 0
    public var blasKernel = ""
    public var ranks = 1
    /// Images that go through the model at once.
    public var chunk = 0
    public var millisecondsPerChunk = 0.0
    /// Processor time over wall time of the measured passes: below 1 the core was shared.
    public var processorShare = 0.0
    /// Tensor blocks taken from the system during the measured passes; 0 in the steady state.
    public var allocationsAfterWarmup = 0
  }

  public var backbone: any Backbone
  /// As the option of `vitdist evaluate`.
  public var chunk: Int
  /// Timed passes of every rank, after two that are not.
  public var passes: Int
  public var precision = Precision.f32

  public init(backbone: any Backbone, chunk: Int, passes: Int) {
    self.backbone = backbone
    self.chunk = chunk
    self.passes = passes
  }

  /// Runs on all ranks; the same result on all but for what is said of this process.
  public func run(on communicator: any Communicator) throws -> Result {
    let pool = BufferPool()
    let products = precision.products(from: pool)
    let network = Network(backbone, seed: 1, pool: pool)
    let batch = Batch.constant(count: chunk, network.model.description, pool: pool)
    let cx = Context(parameters: network.parameters, products: products, pool: pool)
    let hold = products.holdWeights()
    defer { withExtendedLifetime(hold) {} }
    func forward() {
      _ = network.model(Variable(batch.images), cx).prediction(cx)
    }

    for _ in 0..<2 { forward() }
    var gemm = ProductRate.measure(products, pool: pool)
    try communicator.barrier()
    let allocations = pool.statistics.allocations
    let processorStart = Machine.processorSeconds
    let times = (0..<passes).map { _ in ContinuousClock().measure(forward).inSeconds }
    let processor = Machine.processorSeconds - processorStart
    let allocated = pool.statistics.allocations - allocations
    gemm = max(gemm, ProductRate.measure(products, pool: pool))

    let nanoseconds = Int(median(times) * 1e9)
    let seconds = Double(try communicator.allReduce(nanoseconds, by: .maximum)) * 1e-9
    let operations = 2 * Double(network.model.multiplyAdds) * Double(chunk)
    var result = Result()
    result.imagesPerSecond = Double(chunk * communicator.size) / seconds
    result.gemmGflops = gemm
    result.mfu = operations / seconds / (gemm * 1e9)
    result.peakRssBytes = try communicator.allReduce(Machine.peakResidentBytes, by: .maximum)
    result.blasKernel = products.kernel
    (result.ranks, result.chunk) = (communicator.size, chunk)
    result.millisecondsPerChunk = 1000 * seconds
    result.processorShare = processor / times.reduce(0, +)
    result.allocationsAfterWarmup = allocated
    return result
  }
}
