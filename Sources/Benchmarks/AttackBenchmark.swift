import Attacks
import Autograd
import Datasets
import Networks
import Objectives
import Tensors

/// Times one step of an iterative attack against the forward and backward pass of training, on the
/// same images: what adversarial training costs is the one times its steps plus the other.
public struct AttackBenchmark {
  /// What `bench attack --json` prints; times are the least processor time of several tries, rates
  /// are of wall time.
  public struct Result: Codable, Sendable {
    /// Examples made, in the median try.
    public var imagesPerSecond = 0.0
    /// The machine's product rate in the same run, 10⁹ operations a second.
    public var gemmGflops = 0.0
    /// Forward and backward of one micro-batch with all weight gradients.
    public var trainingMilliseconds = 0.0
    /// One step: forward, reverse pass to the pixels, move.
    public var attackStepMilliseconds = 0.0
    /// The second over the first. A reverse pass to the pixels forms no weight gradient, so two
    /// thirds is what the products alone would give.
    public var ratio = 0.0
    public var microBatch = 0
    public var attackSteps = 0
    /// Tensor blocks taken from the system while the attack was timed; 0 in the steady state.
    public var allocationsAfterWarmup = 0
    public var peakRssBytes = 0
    public var blasKernel = ""
  }

  public var backbone: any Backbone
  public var microBatch: Int
  /// Steps of the attack; the time of a try is divided by them.
  public var attackSteps: Int
  public var tries: Int
  public var precision = Precision.f32

  public init(backbone: any Backbone, microBatch: Int, attackSteps: Int, tries: Int) {
    self.backbone = backbone
    self.microBatch = microBatch
    self.attackSteps = attackSteps
    self.tries = tries
  }

  public func run() throws -> Result {
    let pool = BufferPool()
    let products = precision.products(from: pool)
    let network = Network(backbone, seed: 1, pool: pool)
    let batch = Batch.constant(count: microBatch, network.model.description, pool: pool)
    let gradients = Tensor.zeros([network.parameters.layout.count], from: pool)
    var attack = PGD.training
    attack.steps = attackSteps
    let goal = AttackGoal.labels(batch.labels.map(\.label))
    let keys = AttackKeys(seed: 1, samples: batch.samples)

    func train() throws {
      let pass = Pass(
        batch, of: Moment(step: 0, stepsPerEpoch: 1, totalSteps: 1), seed: 1,
        sampleWeight: 1 / Float(microBatch), model: network.model, parameters: network.parameters,
        products: products, pool: pool, gradients: gradients.pointer)
      _ = try Supervised().accumulate(pass)
    }
    func climb() throws {
      let victim = NetworkVictim(
        network.model, network.parameters, products: products, pool: pool)
      _ = try attack.examples(of: batch.images, goal, victim: victim, keys: keys, pool: pool)
    }
    try train()
    try climb()
    var result = Result()
    result.gemmGflops = ProductRate.measure(products, pool: pool)
    let allocations = pool.statistics.allocations
    var (training, climbing) = (Double.infinity, Double.infinity)
    var walls: [Double] = []
    // In turn, so that whatever else the machine does meets both alike.
    for _ in 0..<tries {
      training = min(training, try processorSeconds { try train() })
      let start = ContinuousClock.now
      climbing = min(climbing, try processorSeconds { try climb() })
      walls.append((ContinuousClock.now - start).inSeconds)
    }
    result.imagesPerSecond = Double(microBatch) / median(walls)
    result.trainingMilliseconds = 1000 * training
    result.attackStepMilliseconds = 1000 * climbing / Double(attackSteps)
    result.ratio = climbing / Double(attackSteps) / training
    (result.microBatch, result.attackSteps) = (microBatch, attackSteps)
    result.allocationsAfterWarmup = pool.statistics.allocations - allocations
    result.peakRssBytes = Machine.peakResidentBytes
    result.blasKernel = products.kernel
    return result
  }

  private func processorSeconds(_ work: () throws -> Void) rethrows -> Double {
    let start = Machine.processorSeconds
    try work()
    return Machine.processorSeconds - start
  }
}
