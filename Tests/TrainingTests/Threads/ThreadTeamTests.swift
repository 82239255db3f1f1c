import Glibc
import Synchronization
import Tensors
import Testing
import Training

@Suite struct ThreadTeamTests {
  private struct Failure: Error, Equatable {
    let piece: Int
  }

  /// Members stay the same threads; the caller is the first.
  @Test func piecesHaveThreadsOfTheirOwn() throws {
    let team = ThreadTeam(4, pool: BufferPool())
    try #require(team.size == 4)
    func threads(_ pieces: Int) throws -> [pthread_t] {
      try team.map(Array(0..<pieces)) { _, _, _ in pthread_self() }
    }
    let first = try threads(4)
    #expect(Set(first).count == 4 && first[0] == pthread_self())
    for pieces in [1, 3, 4, 2, 4] { #expect(try threads(pieces) == Array(first[..<pieces])) }
  }

  @Test func resultsComeInOrderWhoeverIsLast() throws {
    let team = ThreadTeam(3, pool: BufferPool())
    for round in 0..<200 {
      let values = try team.map([10, 20, 30]) { member, value, _ in
        if member == round % 3 { usleep(50) }
        return value + member + round
      }
      #expect(values == [10 + round, 21 + round, 32 + round])
    }
  }

  /// All pieces end before an error comes out, and the team works on.
  @Test func theFirstErrorCountsAfterAllHaveEnded() throws {
    let team = ThreadTeam(4, pool: BufferPool())
    let ended = Atomic<Int>(0)
    for failing in [[1], [3, 2], [0, 3], [0, 1, 2, 3]] {
      ended.store(0, ordering: .relaxed)
      let error = #expect(throws: Failure.self) {
        try team.run(4) { piece in
          defer { ended.add(1, ordering: .relaxed) }
          if piece != failing[0] { usleep(300) }
          if failing.contains(piece) { throw Failure(piece: piece) }
        }
      }
      #expect(error?.piece == failing.min())
      #expect(ended.load(ordering: .relaxed) == 4)
      #expect(
        try team.map([1, 2, 3, 4]) { $0 + $1 + ($2 === team.pools[$0] ? 0 : 9) } == [1, 3, 5, 7])
    }
  }

  /// OpenBLAS serves as many callers as a team can have, each with the bits that it gives one alone.
  @Test func productsOfManyCallersAreThoseOfOne() throws {
    let pool = BufferPool()
    let products = OpenBLASProducts()
    let key = RandomKey(seed: 4, .synthesis)
    let a = Tensor([96, 160], (0..<96 * 160).map { key.uniformFloat($0) }, from: pool)
    let b = Tensor([130, 160], (0..<130 * 160).map { key.uniformFloat($0 + 99_999) }, from: pool)
    @Sendable func product(_ pool: BufferPool) -> [Float] {
      let c = Tensor.zeros([96, 130], from: pool)
      for _ in 0..<20 { products.forward(Matrix(a), weight: Matrix(b), addingTo: Matrix(c)) }
      return c.array
    }
    let expected = product(pool)
    let team = ThreadTeam(ThreadTeam.limit, pool: pool)
    for _ in 0..<5 {
      let all = try team.map(Array(0..<team.size)) { _, _, pool in product(pool) }
      #expect(all.allSatisfy { $0 == expected })
    }
  }
}
