import Autograd
import Collectives
import Testing
import Training

@Suite struct ReplicaCheckTests {
  private static let layout = GradientReducerTests.layout

  /// One flipped bit on one rank is found by all, and the rank and the parameter are named.
  @Test(arguments: [("p3", 3, [1]), ("", 2, [0]), ("p0", 2, [0, 3])])
  func flippedBitIsNamed(parameter: String, element: Int, ranks: [Int]) throws {
    let entry = Self.layout[parameter]
    // An empty name: the gap behind the first parameter.
    let position = entry.map { $0.offset + min(element, $0.range.count - 1) } ?? element
    let errors = try ThreadCommunicator.run(ranks: 5) { group in
      var values = (0..<Self.layout.count).map { Float($0) }
      let check = ReplicaCheck(Self.layout, group)
      try check.check(values, step: 8)
      if ranks.contains(group.rank) { values[position] = values[position].nextUp }
      return #expect(throws: ReplicaError.self) { try check.check(values, step: 9) }
    }
    for error in errors {
      #expect(error?.parameter == parameter && error?.ranks == ranks && error?.step == 9)
    }
  }

  /// Two ranks cannot outvote each other: both are named.
  @Test(arguments: [2, 4]) func whereNobodyHasAMajorityAllAreNamed(ranks: Int) throws {
    let errors = try ThreadCommunicator.run(ranks: ranks) { group in
      var values = (0..<Self.layout.count).map { Float($0) }
      if 2 * group.rank < ranks { values[Self.layout.entries[2].offset] = 0.5 }
      return #expect(throws: ReplicaError.self) {
        try ReplicaCheck(Self.layout, group).check(values, step: 3)
      }
    }
    for error in errors {
      #expect(error?.ranks == Array(0..<ranks) && error?.hasMajority == false)
      #expect(error?.description.contains("p2 differs between ranks 0, 1") == true)
    }
  }
}
