import Datasets
import Tensors
import Testing

@Suite struct MixingTests {
  @Test func drawsAreKeyed() {
    let key = RandomKey(seed: 42, .mixing, epoch: 3, sample: 5)
    #expect(key.uniform(0) == 0.9735049105811431)
    #expect(key.uniform(1) == 0.7676568586174294)
    // pow of one libm differs from another's in the last bit.
    #expect(abs(key.beta(0.8, from: 4) - 0.5294615754711062) < 1e-15)
    var options = AugmentationOptions()
    options.mixup.alpha = 0.8
    let draw = draw(options, epoch: 3, group: 5, seed: 42)
    #expect(draw == .mixup(weight: key.beta(0.8, from: 4)))
  }

  /// Worked examples of timm's box (current form: the far side is rounded up).
  @Test func boxesAreClipped() {
    let large = PixelSize(width: 224, height: 224)
    let box = MixingDraw.box(weight: 0.36, row: 100, column: 60, size: large)
    #expect(box == PixelBox(left: 0, top: 11, width: 150, height: 179))
    #expect(abs(MixingDraw.cutmix(box).weight(in: large) - 0.4648836) < 1e-7)
    let small = PixelSize(width: 32, height: 32)
    let corner = MixingDraw.box(weight: 0.5, row: 3, column: 31, size: small)
    #expect(corner == PixelBox(left: 20, top: 0, width: 12, height: 14))
    #expect(MixingDraw.cutmix(corner).weight(in: small) == 0.8359375)
  }

  @Test func lambdaHasTheMomentsOfBeta() {
    var options = AugmentationOptions()
    options.mixup.alpha = 0.8
    let weights = (0..<100_000).map { group in
      draw(options, epoch: 0, group: group, seed: 42).weight(in: PixelSize(width: 4, height: 4))
    }
    let mean = weights.reduce(0, +) / 1e5
    let variance = weights.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 1e5
    // Three standard errors; the exact variance is 1 / (4 (2 · 0.8 + 1)) = 0.09615.
    #expect(abs(mean - 0.5) < 0.003)
    #expect(abs(variance - 0.09615) < 0.002)
  }

  @Test func switchAndCoinHaveTheirProbabilities() {
    var options = AugmentationOptions.deit
    options.mixing.probability = 0.6
    options.mixing.switchProbability = 0.25
    var counts = (none: 0, mixup: 0, cutmix: 0)
    for group in 0..<10_000 {
      switch draw(options, epoch: 1, group: group, seed: 1) {
      case .none: counts.none += 1
      case .mixup: counts.mixup += 1
      case .cutmix: counts.cutmix += 1
      }
    }
    // Four standard errors of a count out of 10,000.
    #expect(abs(counts.none - 4000) < 200)
    #expect(abs(counts.mixup - 4500) < 200)
    #expect(abs(counts.cutmix - 1500) < 145)
  }

  @Test(arguments: MixingOptions.Mode.allCases, [2, 5, 6])
  func partnersAreMirroredAndUnmixed(_ mode: MixingOptions.Mode, _ count: Int) {
    let pool = BufferPool()
    var options = AugmentationOptions.deit
    options.mixing.mode = mode
    for group in 0..<12 {
      let original = Tensor([count, 1, 8, 8], (0..<(count * 64)).map(Float.init), from: pool)
      let mixed = original.copy(from: pool)
      var labels = (0..<count).map { MixedLabel($0) }
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 64) {
        mix(
          mixed, &labels, options, seed: 7, epoch: 0, group: group, scratch: $0.baseAddress!)
      }
      for (j, label) in labels.enumerated() {
        let partner = count - 1 - j
        guard partner != j else {
          #expect(label == MixedLabel(j) && mixed.slice(j..<(j + 1)).array.first == Float(64 * j))
          continue
        }
        #expect((label.label, label.partner) == (j, partner))
        let shift = Float((partner - j) * 64)
        let moved = (0..<64).map { i in (mixed.array[64 * j + i] - Float(64 * j + i)) / shift }
        // Mixup moves every pixel by 1 - λ, CutMix the share 1 - λ of them wholly.
        #expect(abs(moved.reduce(0, +) / 64 - (1 - label.weight)) < 1e-4)
      }
      if mode == .batch { #expect(Set(labels.map(\.weight)).subtracting([1]).count <= 1) }
    }
  }

  private func draw(
    _ options: AugmentationOptions, epoch: Int, group: Int, seed: UInt64
  ) -> MixingDraw {
    MixingDraw(
      options, seed: seed, epoch: epoch, group: group, part: 0,
      size: PixelSize(width: 32, height: 32))
  }
}
