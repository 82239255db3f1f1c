import Configuration
import Datasets
import Tensors
import Testing

/// Patch by patch: what changes, how often, and that nothing else does.
@Suite struct PatchAugmentationTests {
  private static let side = 40  // two patches of 16 along a side, and a rest
  private let statistics = PixelStatistics.imageNet
  private let size = PixelSize(width: side, height: side)

  /// A picture of unlike pixels in 0.1...0.9.
  private let original = (0..<3 * side * side).map { 0.1 + 0.8 * Float(($0 * 7919) % 4801) / 4801 }

  private func options(
    _ change: (inout PatchAugmentationOptions) -> Void
  ) -> PatchAugmentationOptions {
    var options = PatchAugmentationOptions()
    options.probability = 1
    change(&options)
    return options
  }

  private func augmented(
    _ options: PatchAugmentationOptions, sample: Int = 0, _ picture: [Float]? = nil
  ) -> [Float] {
    var planes = picture ?? original
    planes.withUnsafeMutableBufferPointer {
      options.apply(
        to: $0.baseAddress!, channels: 3, size: size,
        SampleKeys(seed: 1, epoch: 2, sample: sample), statistics)
    }
    return planes
  }

  private func isInPatch(_ index: Int) -> Bool {
    let (y, x) = (index % (Self.side * Self.side) / Self.side, index % Self.side)
    return y < 32 && x < 32
  }

  @Test func nothingHappensByDefault() {
    #expect(augmented(PatchAugmentationOptions()) == original)
  }

  @Test func drawsBelongToTheSample() {
    let options = options { $0.probability = 0.5 }
    #expect(augmented(options) == augmented(options))
    #expect(augmented(options) != augmented(options, sample: 1))
  }

  /// Without crop and noise, a patch is its mirror image; the rest of the picture stays.
  @Test func everyPatchIsFlipped() {
    let flipped = augmented(options { ($0.scaleMin, $0.noise) = (1, 0) })
    for i in original.indices {
      let x = i % Self.side
      let mirror = i - x + x / 16 * 16 + 15 - x % 16
      #expect(flipped[i] == (isInPatch(i) ? original[mirror] : original[i]))
    }
  }

  /// 3 · 32² draws: their deviation is known to about 1.3 %.
  @Test func noiseHasItsDeviation() {
    let quiet = options { ($0.scaleMin, $0.noise) = (1, 0) }
    let noisy = options { ($0.scaleMin, $0.noise) = (1, 0.1) }
    let differences = zip(augmented(noisy), augmented(quiet)).enumerated().map { i, pair in
      (pair.0 - pair.1) / statistics.std[i / (Self.side * Self.side)]
    }
    let inside = differences.indices.filter(isInPatch).map { differences[$0] }
    let square = inside.reduce(0) { $0 + $1 * $1 } / Float(inside.count)
    #expect(abs(square.squareRoot() - 0.1) < 0.005)
    #expect(differences.indices.allSatisfy { isInPatch($0) || differences[$0] == 0 })
  }

  /// A ramp is only made less steep: no pixel comes from beyond its patch.
  @Test func cropsStayInTheirPatch() {
    let ramp = original.indices.map { Float($0 % Self.side) / Float(Self.side) }
    let cropped = augmented(options { ($0.scaleMin, $0.noise) = (0.5, 0) }, ramp)
    for i in cropped.indices where isInPatch(i) {
      let left = i % Self.side / 16 * 16
      let bounds = ramp[left] - 1e-6...ramp[left + 15] + 1e-6
      #expect(bounds.contains(cropped[i]))
    }
    #expect(cropped != augmented(options { ($0.scaleMin, $0.noise) = (1, 0) }, ramp))
  }

  /// Each operation on about a tenth of the patches: of 400 pictures' 4 patches, 160 ± 12 are
  /// flipped.
  @Test func aTenthOfThePatchesIsChanged() {
    let options = options { ($0.probability, $0.scaleMin, $0.noise) = (0.1, 1, 0) }
    var changed = 0
    for sample in 0..<400 {
      let picture = augmented(options, sample: sample)
      for corner in [0, 16, 16 * Self.side, 16 * Self.side + 16]
      where picture[corner] != original[corner] { changed += 1 }
    }
    #expect((120...200).contains(changed), "\(changed)")
  }

  @Test func pixelsAreCutOff() {
    let picture = original.map { $0 < 0.5 ? -1 : Float(2) }
    #expect(
      augmented(options { $0.probability = 0.1 }, picture).allSatisfy { (0...1).contains($0) })
  }

  @Test(arguments: [
    ("probability: 1.1", "probability"), ("patchSize: 0", "patchSize"),
    ("scaleMin: 0", "scaleMin"), ("noise: -1", "noise"),
  ]) func whatCannotBeIsRefused(_ text: String, _ key: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try AugmentationOptions(yaml: "{patches: {\(text)}}")
    }
    #expect(error?.key == "patches.\(key)")
  }
}
