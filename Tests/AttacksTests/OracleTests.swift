import Attacks
import Configuration
import Tensors
import TestSupport
import Testing

/// A transformer under foolbox and torchattacks, with weights and images that both sides count out.
@Suite struct OracleTests {
  struct Fixture: Decodable, Sendable {
    struct Result: Decodable, Sendable {
      let attack, oracle: String
      let predictions: [Int]
      let l1, l2, linf: [Double]
      let first: [Float]
    }
    let images: Int
    let labels: [Int]
    let attacks: [Result]
  }

  /// Both round in float32, each in its own order, and where a gradient is next to nothing its sign
  /// may turn: 62 of 64 predictions agree, mean norms within 0.5 %.
  @Test func resultsAgree() throws {
    let fixture = try Fixtures.decode("attacks.vit-unit-cls.json", as: Fixture.self)
    let tiny = TinyTransformer()
    let images = tiny.images(fixture.images)
    #expect(tiny.predictions(images) == fixture.labels)
    #expect(fixture.attacks.count == 9)
    for expected in fixture.attacks {
      let attack = try Choice<AttackCatalog>(yaml: expected.attack).value
      let x = try attack.examples(
        of: images, .labels(fixture.labels), victim: tiny.victim, keys: tiny.keys(fixture.images),
        pool: tiny.pool)
      let after = try Aftermath(x, around: images, labels: fixture.labels, tiny.victim)
      let agreeing = zip(after.predictions, expected.predictions).filter { $0 == $1 }.count
      #expect(agreeing >= 62, "\(expected.attack): \(agreeing) of 64 agree")
      for (path, values) in [
        (\PerturbationNorms.l1, expected.l1), (\.l2, expected.l2), (\.linf, expected.linf),
      ] {
        let found = after.norms.map { $0[keyPath: path] }.reduce(0, +) / 64
        let mean = values.reduce(0, +) / 64
        #expect(abs(found - mean) < 0.005 * mean, "\(expected.attack)")
      }
      let near = zip(x.array, expected.first).filter { isClose($0, $1, absolute: 1e-4) }.count
      #expect(near >= 60, "\(expected.attack): \(64 - near) pixels of the first image differ")
    }
  }
}
