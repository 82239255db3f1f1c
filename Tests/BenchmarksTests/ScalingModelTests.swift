import Benchmarks
import Testing

/// The plan's arithmetic, with round numbers.
@Suite struct ScalingModelTests {
  /// A slab of 2²⁰ floats (4 MiB) with two moments; 64 images a step in 32 shards.
  private func model(
    threads: Int = 1, _ change: (inout StepProfile, inout Cluster) -> Void = { _, _ in }
  ) -> ScalingModel {
    var profile = StepProfile()
    (profile.ranks, profile.cores) = (2, 2)
    (profile.imageSeconds, profile.imageSecondsAlone) = (0.012, 0.010)
    (profile.slabElements, profile.ownedSlabs) = (1 << 20, 2)
    profile.exchangeSeconds = 0.004
    var cluster = Cluster()
    (cluster.ranksPerNode, cluster.spread, cluster.latency) = (2, 0, 1e-5)
    cluster.bandwidth = Double(1 << 30)
    change(&profile, &cluster)
    var run = ScalingModel.Run()
    run.threads = threads
    (run.batch, run.virtualShards, run.stepsPerEpoch, run.totalSteps) = (64, 32, 10, 100)
    return ScalingModel(profile, cluster, run)
  }

  private func isNear(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * max(abs(b), 1) }

  /// One rank computes alone; two share the memory and exchange two slabs; four cross the network.
  @Test func aStepIsTheSumOfItsParts() {
    let model = model()
    #expect(isNear(model.estimate(ranks: 1).stepSeconds, 64 * 0.010))
    #expect(isNear(model.estimate(ranks: 2).stepSeconds, 32 * 0.012 + 0.004))
    // Half of each of a node's two ranks' two slabs of 4 MiB leaves it, at 1 GiB/s.
    let network: Double = 8.0 / 1024 + 6e-5
    #expect(isNear(model.estimate(ranks: 4).stepSeconds, 0.192 + 0.004 + network))
    #expect(
      isNear(model.estimate(ranks: 4).epochSeconds, 10 * model.estimate(ranks: 4).stepSeconds))
    #expect(model.checkpointBytes == 3 << 22)
  }

  @Test func whatIsDoneOnceIsShared() {
    let model = model { profile, _ in (profile.updateSeconds, profile.foldSeconds) = (0.8, 0.1) }
    // 32 shards are 31 additions on one rank; on two each adds 15 times, and one half slab.
    #expect(isNear(model.estimate(ranks: 1).stepSeconds, 0.64 + 3.9))
    #expect(isNear(model.estimate(ranks: 2).stepSeconds, 0.384 + 1.5 + 0.05 + 0.404))
  }

  /// Loaders cost nothing while the node has cores that no rank uses.
  @Test func preparationHidesOnFreeCores() {
    let model = model { profile, _ in profile.preparationSeconds = 0.005 }
    #expect(isNear(model.estimate(ranks: 1).stepSeconds, 64 * 0.010))
    #expect(isNear(model.estimate(ranks: 2).stepSeconds, 32 * 0.017 + 0.004))
  }

  /// E[max] of two standard normals is 1/√π = 0.5642; Blom's rule gives 0.5895.
  @Test func theSlowestRankIsWaitedFor() {
    let model = model { _, cluster in cluster.spread = 0.1 }
    let compute = 32 * 0.012
    let waited = model.estimate(ranks: 2).stepSeconds - compute - 0.004
    #expect(abs(waited / (0.1 * compute) - 0.5895) < 1e-3)
  }

  /// Two threads of a rank compute as two ranks do, add half of the shards each, and exchange nothing;
  /// weights, moments and most sums are there once.
  @Test func threadsShareWeights() {
    let model = model(threads: 2) { profile, _ in
      (profile.foldSeconds, profile.activationBytes) = (0.1, 1000)
    }
    let estimate = model.estimate(ranks: 1)
    #expect(isNear(estimate.stepSeconds, 32 * 0.012 + 31 * 0.1 / 2))
    let slab = 4 << 20
    #expect(estimate.memory.gradients == (2 + 5) * slab && estimate.memory.weights == slab)
    #expect(estimate.memory.moments == 2 * slab && estimate.memory.activations == 2000)
    #expect(estimate.memoryBytes == (16 << 20) + (1 + 7 + 2 + 1) * slab + 2000)
  }

  /// Ranks share moments; a rank that has not a power of two of shards holds and sends more.
  @Test func memoryFallsWithRanks() {
    let model = model()
    let slab = 4 << 20
    let pages = 16 << 20
    // Weights, gradient, five sums on the stack, two moments, the file of weights.
    #expect(model.estimate(ranks: 1).memoryBytes == pages + (1 + 1 + 5 + 2 + 1) * slab)
    // Four sums on the stack, and half a slab that comes in.
    #expect(model.estimate(ranks: 2).memoryBytes == pages + (1 + 1 + 4 + 1 + 1) * slab + slab / 2)
    #expect(model.estimate(ranks: 3).bytesSent > model.estimate(ranks: 4).bytesSent)
    let efficiencies = model.estimates([1, 2, 4, 8, 16, 32]).map(\.efficiency)
    #expect(efficiencies == efficiencies.sorted(by: >) && efficiencies[0] == 1)
  }
}
