import TestSupport
import Testing

/// The Swift side of the fixtures' numbers against what the Python side wrote.
@Suite struct CountedValuesTests {
  @Test func equalTheOraclesNumbers() throws {
    struct Golden: Decodable {
      let parameters: [String: Parameter]
      let uniform: [Float]
      let labels: [Int]
      struct Parameter: Decodable {
        let shape: [Int]
        let values: [Float]
      }
    }
    let golden = try Fixtures.decode("counted-values.json", as: Golden.self)
    #expect(golden.parameters.count == 6)
    for (name, parameter) in golden.parameters {
      #expect(CountedValues.parameter(name, shape: parameter.shape) == parameter.values, "\(name)")
    }
    #expect(CountedValues.uniform("images", count: golden.uniform.count) == golden.uniform)
    let labels = CountedValues.labels("batch.0.labels", count: golden.labels.count, classes: 10)
    #expect(labels == golden.labels)
  }
}
