import Collectives
import Glibc
import Training

/// Puts a training step together from its parts, for any number of ranks:
///
///     T(P) = S b (t + l) + folds + update / P + T_node + T_net + σ E[max of P] S b t
///
/// S shards of b images on a thread of the fullest rank; t and l what an image takes to train on and to prepare;
/// T_node and T_net the exchange inside a node and between nodes, each alpha plus bytes over beta. No
/// overlap of computing and sending is counted on.
public struct ScalingModel: Sendable {
  public struct Estimate: Codable, Sendable, Equatable {
    public var ranks = 1
    public var nodes = 1
    /// Virtual shards of the fullest rank.
    public var shards = 1
    public var stepSeconds = 0.0
    public var imagesPerSecond = 0.0
    /// Against as many times one rank.
    public var efficiency = 1.0
    /// Part of a step that ranks wait for one another and for the network.
    public var communicationShare = 0.0
    /// What a rank sends, and receives, in a step.
    public var bytesSent = 0
    /// Largest rank, with its parts.
    public var memoryBytes = 0
    public var memory = MemoryUse()
    public var epochSeconds = 0.0
    public var runSeconds = 0.0
  }

  /// How a run's steps follow one another.
  public struct Run: Sendable {
    public var batch = 1
    public var virtualShards = 1
    /// Of each rank.
    public var threads = 1
    public var stepsPerEpoch = 1
    public var totalSteps = 1
    /// Images of one evaluation, and how many there are in the run.
    public var evaluationImages = 0
    public var evaluations = 0
    public var checkpoints = 0
    /// Whether a rank copies its part of a checkpoint, to write it while training goes on.
    public var savesCopy = false
    /// Shards that wait on each rank, the images of evaluation that do, and the bytes of an image.
    public var shardsAhead = 0
    public var evaluationAhead = 0
    public var imageBytes = 0
    /// Whether what is judged are averages, gathered from their owners.
    public var judgesAverage = false

    public init() {}
  }

  public let profile: StepProfile
  public let cluster: Cluster
  public let run: Run

  public init(_ profile: StepProfile, _ cluster: Cluster, _ run: Run) {
    (self.profile, self.cluster, self.run) = (profile, cluster, run)
  }

  /// Weights, moments and averages, in bytes; the manifest is next to nothing.
  public var checkpointBytes: Int {
    ((1 + profile.ownedSlabs) * profile.slabElements + run.batch * profile.memoryPerImage)
      * MemoryLayout<Float>.stride
  }

  public var checkpointSeconds: Double { 0.01 + Double(checkpointBytes) / cluster.storage }

  /// - Parameter ranks: at most the number of virtual shards.
  public func estimate(ranks: Int) -> Estimate {
    let footprint = ReductionFootprint(
      count: profile.slabElements, virtualShards: run.virtualShards, ranks: ranks,
      threads: run.threads)
    var estimate = Estimate()
    (estimate.ranks, estimate.shards) = (ranks, footprint.shards)
    estimate.nodes = (ranks + cluster.ranksPerNode - 1) / cluster.ranksPerNode
    let compute = compute(footprint, ranks)
    let waiting = exchange(footprint, ranks) + cluster.spread * expectedMaximum(ranks) * compute
    estimate.stepSeconds = compute + waiting
    estimate.communicationShare = waiting / estimate.stepSeconds
    estimate.imagesPerSecond = Double(run.batch) / estimate.stepSeconds
    estimate.bytesSent =
      ranks == 1 ? 0 : slabBytes * (footprint.nodes + 1) * (ranks - 1) / ranks
    estimate.memory = memory(footprint, ranks)
    estimate.memoryBytes = estimate.memory.total
    let evaluation =
      Double(run.evaluationImages) / Double(ranks)
      * (profile.evaluationSeconds + unhiddenPreparation(ranks))
    estimate.epochSeconds = Double(run.stepsPerEpoch) * estimate.stepSeconds + evaluation
    estimate.runSeconds =
      Double(run.totalSteps) * estimate.stepSeconds + Double(run.evaluations) * evaluation
      + Double(run.checkpoints) * checkpointSeconds
    return estimate
  }

  /// Estimates for these numbers of ranks, with efficiencies.
  public func estimates(_ ranks: [Int]) -> [Estimate] {
    let alone = estimate(ranks: 1).imagesPerSecond
    return ranks.map { count in
      var estimate = estimate(ranks: count)
      estimate.efficiency = estimate.imagesPerSecond / alone / Double(count)
      return estimate
    }
  }

  private var slabBytes: Int { profile.slabElements * MemoryLayout<Float>.stride }
}

// MARK: - The parts of a step

extension ScalingModel {
  private func onNode(_ ranks: Int) -> Int { min(ranks, cluster.ranksPerNode) }

  /// Cores of a node that compute.
  private func busyCores(_ ranks: Int) -> Int { onNode(ranks) * run.threads }

  /// What the fullest rank computes in a step.
  private func compute(_ footprint: ReductionFootprint, _ ranks: Int) -> Double {
    let turns = (footprint.shards + run.threads - 1) / run.threads
    let images = Double(turns * run.batch / run.virtualShards)
    // Cores of a node share its memory: from the time of one alone to that of all, as they fill it.
    let crowd =
      profile.ranks > 1 ? Double(busyCores(ranks) - 1) / Double(profile.ranks - 1) : 0
    let image =
      profile.imageSecondsAlone
      + (profile.imageSeconds - profile.imageSecondsAlone) * min(1, crowd)
    let folds =
      Double(footprint.shards - 1) / Double(min(run.threads, footprint.shards))
      + Double(footprint.received) / Double(max(1, profile.slabElements))
    return images * (image + unhiddenPreparation(ranks)) + folds * profile.foldSeconds
      + profile.updateSeconds / Double(ranks)
  }

  /// Loader threads take processor time from training unless the node has cores left for them.
  private func unhiddenPreparation(_ ranks: Int) -> Double {
    let busy = busyCores(ranks)
    let free = Double(max(0, profile.cores - busy)) / Double(busy)
    return profile.preparationSeconds * max(0, 1 - free)
  }

  /// Reduce-scatter of every rank's nodes and all-gather of the weights. Inside a node all ranks draw
  /// on one memory; what leaves a node leaves through one port.
  private func exchange(_ footprint: ReductionFootprint, _ ranks: Int) -> Double {
    guard ranks > 1 else { return 0 }
    let slabs = Double(1 + footprint.nodes)
    let local = onNode(ranks)
    let inside = Double(local - 1) * slabs * secondsPerSlabInNode
    guard ranks > local else { return inside }
    let leaving =
      Double(local) * slabs * Double(slabBytes) * Double(ranks - local) / Double(ranks)
    return inside + leaving / cluster.bandwidth + 2 * Double(ranks - 1) * cluster.latency
  }

  /// Time of one slab's way from one rank to another of the node, from the measured exchange.
  private var secondsPerSlabInNode: Double {
    guard profile.ranks > 1, profile.exchangeSeconds > 0 else {
      return Double(slabBytes) / cluster.memoryTraffic
    }
    let measured = ReductionFootprint(
      count: profile.slabElements, virtualShards: max(run.virtualShards, profile.ranks),
      ranks: profile.ranks)
    return profile.exchangeSeconds / Double(profile.ranks - 1) / Double(1 + measured.nodes)
  }

  /// Pages of the program and its libraries that logs, checkpoints and curves touch after the profile
  /// was taken: what was seen.
  static let pagesOfARun = 16 << 20

  private func memory(_ footprint: ReductionFootprint, _ ranks: Int) -> MemoryUse {
    let part = (slabBytes + ranks - 1) / ranks
    let averages = run.judgesAverage ? min(1, profile.ownedSlabs) : 0
    let float = MemoryLayout<Float>.stride
    var use = MemoryUse()
    use.weights = slabBytes
    use.gradients = footprint.slabs * slabBytes
    use.moments = (profile.ownedSlabs - averages) * part
    use.averages = averages * part
    use.remembered = run.batch * profile.memoryPerImage / ranks * float
    use.exchange = footprint.received * float
    use.activations = run.threads * profile.activationBytes
    let ahead = run.threads * run.shardsAhead * run.batch / run.virtualShards
    use.batches = (ahead + run.threads * run.evaluationAhead) * run.imageBytes
    // The file of final weights is made in memory, after averages were gathered.
    use.copies = (run.judgesAverage ? 2 : 1) * slabBytes
    if run.savesCopy { use.copies += part + use.moments + use.averages + use.remembered }
    use.program = profile.programBytes + Self.pagesOfARun
    return use
  }

  /// E[max] of `count` standard normal variables (Blom, 1958): Φ⁻¹((n - 3/8) / (n + 1/4)).
  private func expectedMaximum(_ count: Int) -> Double {
    guard count > 1 else { return 0 }
    let target = (Double(count) - 0.375) / (Double(count) + 0.25)
    var (low, high) = (0.0, 10.0)
    while high - low > 1e-9 {
      let middle = (low + high) / 2
      if 0.5 * erfc(-middle / 2.0.squareRoot()) < target { low = middle } else { high = middle }
    }
    return low
  }
}
