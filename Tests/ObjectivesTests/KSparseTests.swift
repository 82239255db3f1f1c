import Configuration
import Objectives
import Testing

/// The penalty method's loops, and its edges.
@Suite struct KSparseTests {
  private func objective(_ change: (inout KSparseAttention) -> Void) -> KSparseAttention {
    var objective = KSparseAttention()
    change(&objective)
    return objective
  }

  private func state(_ objective: KSparseAttention, step: Int) throws -> [String: String] {
    try SmallStudent(objective).loss.state(
      at: Moment(step: step, stepsPerEpoch: 10, totalSteps: 100))
  }

  @Test func muShrinksFromRoundToRound() throws {
    let objective = objective {
      ($0.mu, $0.c, $0.rounds, $0.roundEpochs, $0.smallestMu) = (8, 0.5, 4, 1.5, 1.5)
    }
    // Rounds of 15 steps; the floor holds from the third on, and the last round goes on.
    for (step, m, k, mu) in [
      (0, 0, 0, 8.0), (14, 0, 14, 8), (15, 1, 0, 4), (44, 2, 14, 2), (99, 3, 54, 1.5),
    ] {
      let expected = ["ksparse.m": "\(m)", "ksparse.k": "\(k)", "ksparse.mu": "\(mu)"]
      #expect(try state(objective, step: step) == expected, "step \(step)")
    }
  }

  @Test func aRunIsCutIntoEqualRoundsByDefault() throws {
    let objective = objective { $0.rounds = 5 }
    #expect(try state(objective, step: 19)["ksparse.m"] == "0")
    #expect(try state(objective, step: 20)["ksparse.m"] == "1")
    #expect(try state(objective, step: 99)["ksparse.m"] == "4")
  }

  /// The penalty is (1/2μ) Σ over rows, so halving μ doubles it and the mean over rows divides it.
  @Test func thePenaltyIsInTheLossAndScales() throws {
    let plain = try learn(Supervised())
    let sum = try learn(objective { ($0.k, $0.mu, $0.smallestMu) = (4, 1, 0.1) })
    let half = try learn(objective { ($0.k, $0.mu, $0.smallestMu) = (4, 0.5, 0.1) })
    let mean = try learn(
      objective { ($0.k, $0.mu, $0.reduction, $0.smallestMu) = (4, 1, .rowMean, 0.1) })
    #expect(sum.figures["penalty"]! > 0.1)
    #expect(abs(sum.loss - plain.loss - sum.figures["penalty"]!) < 1e-5)
    #expect(abs(half.figures["penalty"]! / sum.figures["penalty"]! - 2) < 1e-5)
    // Two layers of two heads of seventeen tokens.
    #expect(abs(sum.figures["penalty"]! / mean.figures["penalty"]! - 68) < 1e-3)
    #expect(abs(sum.figures["mu"]! - 1) < 1e-6)
    #expect(
      abs(sum.figures["penalty.0"]! + sum.figures["penalty.1"]! - sum.figures["penalty"]!) < 1e-6)
    for name in ["hoyer.0", "hoyer.1", "tail.0", "tail.1"] {
      #expect((0...1).contains(sum.figures[name]!), "\(name)")
    }
  }

  /// K of the whole row is plain training, to the bit; so is a first round that begins from it.
  @Test func theWholeRowIsPlainTraining() throws {
    let plain = try learn(Supervised())
    let whole = try learn(objective { $0.k = 17 })
    #expect(whole.loss == plain.loss)
    #expect(whole.gradient == plain.gradient)
    let shrinking = try learn(objective { ($0.k, $0.shrinkingRounds) = (4, 5) })
    #expect(shrinking.loss == plain.loss)
  }

  @Test func onlyTheNamedLayersArePenalised() throws {
    let one = try learn(objective { ($0.layers, $0.k) = ([1], 4) })
    #expect(one.figures["penalty.1"]! > 0)
    #expect(one.figures["penalty.0"] == nil)
  }

  /// As the penalty leaves the forward pass as it is, each layer's is that of a run with its K alone.
  @Test func layersMayHaveTheirOwnK() throws {
    let own = try learn(objective { ($0.layers, $0.kOfLayer) = ([0, 1], [3, 9]) })
    for (layer, k) in [(0, 3.0), (1, 9)] {
      let same = try learn(objective { $0.k = k })
      #expect(own.figures["penalty.\(layer)"] == same.figures["penalty.\(layer)"])
    }
    let swapped = try learn(objective { ($0.layers, $0.kOfLayer) = ([1, 0], [3, 9]) })
    #expect(swapped.figures["penalty.0"]! < own.figures["penalty.0"]!)
  }

  /// Twenty steps of descent make the rows sparser than they would be without the penalty.
  @Test func thePenaltyMakesRowsSparser() throws {
    func tail(mu: Double) throws -> Double {
      let student = try SmallStudent(
        objective { ($0.k, $0.mu, $0.smallestMu) = (4, mu, 1e-9) })
      let batch = student.batch(8)
      var last = 0.0
      for step in 0..<20 {
        let (contributions, gradient) = try student.contributions([batch], step: step)
        let figures = contributions[0].figures
        last = figures[student.loss.figures.firstIndex(of: "tail.0")!]
        for i in gradient.indices where gradient[i] != 0 {
          student.network.parameters.values[i] -= gradient[i] > 0 ? 0.01 : -0.01
        }
      }
      return last
    }
    let (with, without) = (try tail(mu: 1e-3), try tail(mu: 1e6))
    #expect(with < 0.8 * without, "tail mass \(with) against \(without)")
  }

  struct Learned {
    var loss: Double
    var gradient: [Float]
    var figures: [String: Double]
  }

  private func learn(_ objective: any Objective) throws -> Learned {
    let student = try SmallStudent(objective)
    student.network.parameters.fillWithCountedValues()
    let (contributions, gradient) = try student.contributions([student.batch(6)])
    return Learned(
      loss: contributions[0].loss, gradient: gradient,
      figures: Dictionary(uniqueKeysWithValues: zip(student.loss.figures, contributions[0].figures))
    )
  }

  @Test(arguments: [
    ("k: 0", "k"), ("k: -3", "k"), ("k: 2.5", "k"), ("mu: 0", "mu"), ("mu: -1", "mu"),
    ("c: 1", "c"), ("c: 0", "c"), ("rounds: 0", "rounds"), ("layers: [1, 1]", "layers"),
    ("kOfLayer: [3]", "kOfLayer"), ("roundSteps: -1", "roundSteps"),
    ("{roundSteps: 3, roundEpochs: 2}", "roundEpochs"), ("of: {kind: rspc, rho: 1.5}", "of.rho"),
  ]) func whatCannotBeIsRefused(_ change: String, _ key: String) {
    let options = change.hasPrefix("{") ? String(change.dropFirst().dropLast()) : change
    let error = #expect(throws: ConfigurationError.self) {
      try Choice<ObjectiveCatalog>(yaml: "{kind: ksparse, \(options)}", name: "o")
    }
    #expect(error?.key == key)
  }

  @Test func whatDoesNotFitTheModelIsRefused() {
    for (change, key) in [
      ({ (o: inout KSparseAttention) in o.layers = [2] }, "objective.layers"),
      ({ $0.layers = [-1] }, "objective.layers"), ({ $0.k = 18 }, "objective.k"),
    ] {
      let error = #expect(throws: ConfigurationError.self) { try SmallStudent(objective(change)) }
      #expect(error?.key == key)
    }
  }
}
