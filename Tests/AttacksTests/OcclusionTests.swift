import Attacks
import Configuration
import Tensors
import TestSupport
import Testing

/// Noise in place of patches: how many, which, and nothing else.
@Suite struct OcclusionTests {
  private func occlude(
    _ tiny: TinyTransformer, _ images: Tensor, _ options: String, seed: UInt64 = 1
  ) throws -> Tensor {
    let attack = try Choice<AttackCatalog>(yaml: "{kind: occlusion, \(options)}").value
    return try attack.examples(
      of: images, .labels(tiny.predictions(images)), victim: tiny.victim,
      keys: tiny.keys(images.shape[0], seed: seed), pool: tiny.pool)
  }

  /// The patches of an 8 px image, 2 px wide, in which a pixel changed.
  private func changed(_ x: Tensor, _ images: Tensor, row: Int) -> Set<Int> {
    Set(
      (0..<64).filter { x.pointer[row * 64 + $0] != images.pointer[row * 64 + $0] }
        .map { $0 / 16 * 4 + $0 % 8 / 2 })
  }

  @Test(arguments: ["random", "gradient"], [(0.0, 0), (0.1, 2), (0.5, 8), (1.0, 16)])
  func itReplacesSoManyPatches(_ selection: String, _ part: (rho: Double, count: Int)) throws {
    let tiny = TinyTransformer()
    let images = tiny.images(6)
    let x = try occlude(tiny, images, "selection: \(selection), rho: \(part.rho), patchSize: 2")
    for row in 0..<6 {
      #expect(changed(x, images, row: row).count == part.count, "image \(row)")
    }
  }

  @Test func drawsDependOnTheSeedAndTheSampleOnly() throws {
    let tiny = TinyTransformer()
    let images = tiny.images(6)
    let first = try occlude(tiny, images, "rho: 0.5, patchSize: 2")
    #expect(try occlude(tiny, images, "rho: 0.5, patchSize: 2").array == first.array)
    #expect(try occlude(tiny, images, "rho: 0.5, patchSize: 2", seed: 2).array != first.array)
    let alone = try occlude(tiny, images.slice(0..<1), "rho: 0.5, patchSize: 2")
    #expect(alone.array == first.slice(0..<1).array)
  }

  /// The gradient finds patches that cost more than those that chance finds.
  @Test func theGradientChoosesWhatHurts() throws {
    let tiny = TinyTransformer()
    let images = tiny.images(40)
    let labels = AttackGoal.labels(tiny.predictions(images))
    func loss(_ selection: String) throws -> Double {
      let x = try occlude(tiny, images, "selection: \(selection), rho: 0.25, patchSize: 2")
      let logits = tiny.victim.logits(x, rows: Array(0..<40))
      return AttackLoss.crossEntropy.values(of: logits, labels).reduce(0, +)
    }
    #expect(try loss("gradient") > loss("random"))
  }

  @Test(arguments: [("rho: -0.1", "rho"), ("rho: 2", "rho"), ("patchSize: -1", "patchSize")])
  func whatCannotBeIsRefused(_ options: String, _ key: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try Choice<AttackCatalog>(yaml: "{kind: occlusion, \(options)}")
    }
    #expect(error?.key == key)
  }

  @Test func aPatchThatDoesNotDivideTheImageIsRefused() {
    let tiny = TinyTransformer()
    let error = #expect(throws: ConfigurationError.self) {
      try occlude(tiny, tiny.images(2), "patchSize: 3")
    }
    #expect(error?.key == "patchSize")
    var occlusion = PatchOcclusion()
    occlusion.patchSize = 3
    #expect(throws: ConfigurationError.self) {
      try occlusion.check(for: tiny.victim.description)
    }
  }
}
