import Autograd
import Configuration
import Datasets
import Networks
import Objectives
import Tensors
import Testing

/// RSPC's masks, its edges, and who learns what.
@Suite struct RSPCTests {
  private func objective(_ change: (inout RSPC) -> Void) -> RSPC {
    var objective = RSPC()
    change(&objective)
    return objective
  }

  private func learn(_ objective: any Objective) throws -> (
    loss: Double, gradient: [Float], figures: [Double], student: SmallStudent
  ) {
    let student = try SmallStudent(objective)
    student.network.parameters.fillWithCountedValues()
    let (contributions, gradient) = try student.contributions([student.batch(6)])
    return (contributions[0].loss, gradient, contributions[0].figures, student)
  }

  @Test func theLossIsThatOfTheInnerOnePlusTheAlignment() throws {
    let plain = try learn(Supervised())
    let rspc = try learn(objective { ($0.lambda, $0.rho) = (0.5, 0.25) })
    #expect(rspc.student.loss.figures == ["alignment", "occluded"])
    #expect(rspc.figures[0] > 1e-6)
    #expect(abs(rspc.figures[1] - 4) < 1e-5)
    #expect(abs(rspc.loss - plain.loss - 0.5 * rspc.figures[0]) < 1e-5)
  }

  /// Nothing occluded leaves nothing to align, and no pass at all without the alignment.
  @Test func edgesOfRhoAndLambda() throws {
    let plain = try learn(Supervised())
    let without = try learn(objective { $0.lambda = 0 })
    #expect(without.loss == plain.loss)
    #expect(without.gradient == plain.gradient)
    #expect(without.student.loss.opponent == nil)
    let nothing = try learn(objective { $0.rho = 0 })
    #expect(nothing.loss == plain.loss)
    let all = try learn(objective { $0.rho = 1 })
    #expect(abs(all.figures[1] - 16) < 1e-5)
  }

  /// With too small a part for one patch both halves are the same images, so that only drop path can tell them
  /// apart: not where it is drawn once for both.
  @Test(arguments: [RSPC.BatchStatistics.split, .joint], [false, true])
  func dropPathIsSharedWhereAskedFor(_ statistics: RSPC.BatchStatistics, _ isShared: Bool) throws {
    var backbone = RobustVisionTransformer()
    (backbone.imageSize, backbone.channels, backbone.classes) = (32, 1, 10)
    (backbone.widths, backbone.heads, backbone.depths) = ([16], [2], [4])
    backbone.dropPath = 0.5
    let student = try SmallStudent(
      objective {
        ($0.rho, $0.batchStatistics, $0.sharedDropPath) = (1e-3, statistics, isShared)
      }, backbone: backbone)
    let images = Tensor(
      [4, 1, 32, 32], (0..<4096).map { Float($0 * 37 % 256) / 255 }, from: student.pool)
    let batch = Batch(
      images: images, labels: (0..<4).map { MixedLabel($0) }, samples: [0, 1, 2, 3],
      repeats: [0, 0, 0, 0])
    let alignment = try student.contributions([batch]).contributions[0].figures[0]
    // Blocks of other shapes round alike: the halves' arithmetic is the same, sample by sample.
    #expect(isShared ? alignment < 1e-10 : alignment > 1e-6, "\(alignment)")
  }

  /// The corruption model gets a gradient, and the cross-entropy is not in it: with labels of other
  /// classes it stays the same.
  @Test func crossEntropyNeverReachesTheCorruptionModel() throws {
    let student = try SmallStudent(objective { ($0.mode, $0.lambda) = (.algorithm1, 1) })
    student.network.parameters.fillWithCountedValues()
    var batch = student.batch(6)
    let first = try student.learn([batch]).gradient
    batch.labels.reverse()
    let second = try student.learn([batch]).gradient
    for entry in student.network.parameters.layout.entries {
      let (a, b) = (Array(first[entry.range]), Array(second[entry.range]))
      if entry.role == .adversary {
        #expect(a == b, "\(entry.name)")
        #expect(a.contains { $0 != 0 }, "\(entry.name)")
      } else if entry.name.hasPrefix("head") {
        #expect(a != b, "\(entry.name)")
      }
    }
  }

  /// With joint batch statistics the clean half's loss depends on the occluded images, so that its
  /// labels reach the corruption model; with split ones they do not.
  @Test(arguments: [RSPC.BatchStatistics.split, .joint])
  func jointBatchStatisticsLeak(_ statistics: RSPC.BatchStatistics) throws {
    var backbone = RobustVisionTransformer()
    (backbone.imageSize, backbone.channels, backbone.classes) = (32, 1, 10)
    (backbone.widths, backbone.heads, backbone.depths) = ([16], [2], [2])
    let student = try SmallStudent(
      objective {
        ($0.mode, $0.lambda, $0.rho, $0.batchStatistics) = (.algorithm1, 1, 0.5, statistics)
      }, backbone: backbone)
    func gradient(_ labels: [Int]) throws -> (adversary: [Float], statistics: [Float]) {
      let images = Tensor(
        [4, 1, 32, 32], (0..<4096).map { Float($0 * 37 % 256) / 255 }, from: student.pool)
      let batch = Batch(
        images: images, labels: labels.map { MixedLabel($0) }, samples: [0, 1, 2, 3],
        repeats: [0, 0, 0, 0])
      let gradient = try student.learn([batch]).gradient
      func part(_ role: ParameterRole) -> [Float] {
        student.network.parameters.layout.entries.filter { $0.role == role }
          .flatMap { gradient[$0.range] }
      }
      return (part(.adversary), part(.statistic))
    }
    let (first, second) = (try gradient([0, 1, 2, 3]), try gradient([4, 5, 6, 7]))
    #expect((first.adversary == second.adversary) == (statistics == .split))
    #expect(first.statistics == second.statistics)
    #expect(first.statistics.contains { $0 != 0 })
  }

  /// Steps of the corruption model along its gradient raise the alignment loss of a frozen model.
  @Test func theOpponentClimbs() throws {
    let student = try SmallStudent(
      objective { ($0.mode, $0.lambda, $0.rho) = (.algorithm1, 1, 0.25) })
    student.network.parameters.fillWithCountedValues()
    let batch = student.batch(8)
    var losses: [Double] = []
    for _ in 0..<40 {
      let (contributions, gradient) = try student.contributions([batch])
      losses.append(contributions[0].figures[0])
      let norm = student.network.parameters.layout.entries.filter { $0.role == .adversary }
        .flatMap { gradient[$0.range] }.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for entry in student.network.parameters.layout.entries where entry.role == .adversary {
        for i in entry.range {
          student.network.parameters.values[i] -= 0.05 * gradient[i] / max(norm, 1e-12)
        }
      }
    }
    #expect(losses.suffix(5).reduce(0, +) > 1.02 * losses.prefix(5).reduce(0, +), "\(losses)")
  }

  @Test func modesMoveTheOpponentByTheirRules() throws {
    let official = try #require(try SmallStudent(RSPC()).loss.opponent)
    #expect(official.optimizer.nesterov && official.optimizer.momentum == 0.9)
    #expect(official.optimizer.weightDecay == 0.05 && official.clipping.maximumNorm == 5)
    #expect(official.learningRate(0.5) == 1e-4)
    let plain = try #require(try SmallStudent(objective { $0.mode = .algorithm1 }).loss.opponent)
    #expect(plain.optimizer.momentum == 0 && !plain.clipping.isOn)
    #expect(plain.learningRate(0.5) == 0.5)
  }

  @Test func masksCountAsTheirModesSay() {
    func occluded(_ selection: MaskSelection, _ scores: [Float], _ rho: Double) -> [Int] {
      var mask = [Float](repeating: -1, count: scores.count)
      let count = scores.withUnsafeBufferPointer { scores in
        mask.withUnsafeMutableBufferPointer {
          selection.mask(scores, rho: rho, into: $0.baseAddress!)
        }
      }
      let result = mask.indices.filter { mask[$0] == 0 }
      #expect(result.count == count)
      return result
    }
    let key = RandomKey(seed: 1, .synthesis)
    for (patches, official, topk) in [(196, 20, 20), (64, 7, 6), (16, 2, 2)] {
      let scores = (0..<patches).map { key.uniformFloat($0) }
      #expect(occluded(.official, scores, 0.1).count == official)
      #expect(occluded(.topk, scores, 0.1).count == topk)
      #expect(occluded(.official, scores, 0).count == 1)
      #expect(occluded(.official, scores, 1).count == 1)
      #expect(occluded(.topk, scores, 0).isEmpty)
      #expect(occluded(.topk, scores, 1).count == patches)
    }
    let equal = [Float](repeating: 0.5, count: 8)
    #expect(occluded(.official, equal, 0.25).count == 8)
    #expect(occluded(.topk, equal, 0.25) == [0, 1])
  }

  @Test(arguments: [
    ("rho: -0.1", "rho"), ("rho: 1.1", "rho"), ("lambda: -1", "lambda"),
    ("patchSize: -4", "patchSize"), ("gradientScale: 0", "gradientScale"),
    ("momentum: 1", "momentum"), ("mode: unofficial", "mode"),
  ]) func whatCannotBeIsRefused(_ change: String, _ key: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try Choice<ObjectiveCatalog>(yaml: "{kind: rspc, \(change)}", name: "o")
    }
    #expect(error?.key == key)
  }

  @Test func aPatchThatDoesNotDivideTheImageIsRefused() {
    let error = #expect(throws: ConfigurationError.self) {
      try SmallStudent(objective { $0.patchSize = 3 })
    }
    #expect(error?.key == "objective.patchSize")
  }
}
