import Networks
import Tensors
import TestSupport
import Testing

@Suite struct PositionInterpolationTests {
  struct Fixture: Decodable {
    struct Case: Decodable {
      let side: Int
      let antialias: Bool
      let values: [Float]
    }
    let channels: Int
    let cases: [Case]
  }

  /// PyTorch computes in float32, this side in double.
  @Test func bothKindsAgreeWithTheirOrigin() throws {
    let fixture = try Fixtures.decode("position-embeddings.json", as: Fixture.self)
    #expect(fixture.cases.count == 4)
    let source = CountedValues.uniform("position.source", count: 197 * fixture.channels)
    for expected in fixture.cases {
      let kind: PositionInterpolation = expected.antialias ? .antialiased : .deit
      let found = kind.resize(
        source, prefix: 1, from: 14, to: expected.side, width: fixture.channels)
      #expect(relativeDistance(found, expected.values) < 2e-6, "\(kind) to \(expected.side)")
    }
  }

  @Test(arguments: [PositionInterpolation.antialiased, .deit])
  func theSameGridIsKept(_ kind: PositionInterpolation) {
    let source = CountedValues.uniform("position.source", count: (2 + 25) * 3)
    let same = kind.resize(source, prefix: 2, from: 5, to: 5, width: 3)
    #expect(relativeDistance(same, source) < 1e-6)
  }

  /// The weights of every output sum to one.
  @Test(arguments: [PositionInterpolation.antialiased, .deit], [1, 3, 8, 20])
  func aConstantStaysConstant(_ kind: PositionInterpolation, _ side: Int) {
    let source = [Float](repeating: 0.75, count: 36 * 2)
    let resized = kind.resize(source, prefix: 0, from: 6, to: side, width: 2)
    #expect(resized.count == side * side * 2)
    #expect(resized.allSatisfy { isClose($0, 0.75, absolute: 1e-6) })
  }
}
