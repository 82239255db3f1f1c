import Autograd
import Optimizers
import Tensors
import Testing

@Suite struct OwnershipTests {
  @Test func slicesTileTheParametersOnce() {
    let layout = raggedLayout()
    let whole = Ownership(of: layout)
    #expect(layout.count == 16384)
    #expect(whole.slices.map(\.count).reduce(0, +) == layout.parameterCount)
    #expect(whole.stateCount == layout.count)
    #expect(whole.slices.allSatisfy { $0.start == $0.stateStart })
    #expect(whole.slices.map(\.number) == Array(0..<whole.parameterOfSlice.count))
    let parts = [[0..<4096, 12288..<16384], [4096..<12288]].map {
      Ownership(of: layout, ranges: $0)
    }
    let slices = parts.flatMap(\.slices).sorted { $0.number < $1.number }
    #expect(slices.map(\.start) == whole.slices.map(\.start))
    #expect(slices.map(\.count) == whole.slices.map(\.count))
    #expect(parts[0].slices.first { $0.start >= 12288 }?.stateStart == 4096)
    #expect(parts[1].stateCount == 8192)
  }

  @Test func decaySkipsVectorsBiasesAndTokens() {
    let groups = DecayGroups(frozen: ["head.weight"])
    let expected: [(String, Shape, DecayGroups.Membership)] = [
      ("blocks.0.attn.qkv.weight", [6, 2], .decayed), ("blocks.0.attn.qkv.bias", [6], .undecayed),
      ("blocks.0.norm1.weight", [2], .undecayed), ("pos_embed", [1, 5, 2], .undecayed),
      ("cls_token", [1, 1, 2], .undecayed), ("dist_token", [1, 1, 2], .undecayed),
      ("reg_token", [1, 4, 2], .undecayed), ("patch_embed.proj.weight", [2, 3, 4, 4], .decayed),
      ("layers.0.relative_position_bias_table", [49, 3], .undecayed),
      ("head.weight", [10, 2], .frozen), ("matrix.bias", [2, 2], .undecayed),
      ("pos_embedding.weight", [5, 2], .decayed),
    ]
    var layout = ParameterLayout()
    for (name, shape, membership) in expected {
      #expect(groups.membership(of: layout.append(name, shape)) == membership, "\(name)")
    }
    let owned = Ownership(of: layout, groups: groups)
    #expect(!owned.slices.contains { $0.parameter == 9 })
    #expect(owned.slices.filter(\.decays).map(\.parameter) == [0, 7, 11])
  }

  /// Every cut of the slab over ranks gives the same bits of parameters and of states.
  @Test(arguments: [
    [[0..<4096], [4096..<16384]], [[4096..<8192, 12288..<16384], [0..<4096, 8192..<12288]],
    [[0..<4096], [4096..<8192], [8192..<12288], [12288..<16384], []],
  ])
  func cutsDoNotChangeBits(cut: [[Range<Int>]]) throws {
    for optimizer in [AdamW(), SGD(), LAMB()] as [any Optimizer] {
      let recorder = RecordingNorms()
      let whole = try trained(optimizer, ranges: nil, norms: recorder)
      var states = [[Float]](
        repeating: [Float](repeating: 0, count: 16384), count: optimizer.stateNames.count)
      for ranges in cut {
        let norms = ReplayingNorms(recorder.sums)
        let part = try trained(optimizer, ranges: ranges, norms: norms)
        #expect(norms.differences == 0)
        for range in ranges {
          #expect(part.parameters.array[range] == whole.parameters.array[range])
        }
        for (index, state) in part.states.enumerated() {
          var start = 0
          for range in ranges {
            states[index].replaceSubrange(range, with: state.array[start..<start + range.count])
            start += range.count
          }
        }
      }
      #expect(states == whole.states.map(\.array))
    }
  }

  private func trained(
    _ optimizer: any Optimizer, ranges: [Range<Int>]?, norms: any ParameterNorms
  ) throws -> Slab {
    let slab = Slab(raggedLayout(), optimizer, ranges: ranges)
    for entry in slab.layout.entries {
      for i in entry.range { slab.parameters.pointer[i] = noise(i, seed: 1) }
    }
    for step in 1...3 {
      for entry in slab.layout.entries {
        for i in entry.range { slab.gradients.pointer[i] = noise(i, seed: UInt64(10 + step)) }
      }
      try slab.update(optimizer, step: step, scale: 0.37, norms: norms)
    }
    return slab
  }

  @Test func gatheringAndScatteringAreInverse() {
    let owned = Ownership(of: raggedLayout(), ranges: [0..<4096, 8192..<12288])
    let whole = (0..<16384).map { noise($0, seed: 9) }
    var compact = [Float](repeating: 0, count: owned.stateCount)
    owned.gather(whole, into: &compact)
    #expect(compact == Array(whole[0..<4096] + whole[8192..<12288]))
    var back = [Float](repeating: 0, count: whole.count)
    owned.scatter(compact, into: &back)
    let expected = whole.enumerated().map { $0.offset / 4096 % 2 == 0 ? $0.element : 0 }
    #expect(back == expected)
  }

  @Test func gapsStayZero() throws {
    let slab = try trained(AdamW(), ranges: nil, norms: LocalParameterNorms())
    var isGap = [Bool](repeating: true, count: slab.layout.count)
    for entry in slab.layout.entries { for i in entry.range { isGap[i] = false } }
    #expect(isGap.contains(true))
    for tensor in [slab.parameters] + slab.states {
      #expect(zip(tensor.array, isGap).allSatisfy { !$1 || $0 == 0 })
    }
  }

  @Test func theNormOfASlabIsExactOnAnyCut() throws {
    let slab = Slab(raggedLayout(), SGD())
    var exact = 0.0
    for entry in slab.layout.entries {
      for i in entry.range {
        slab.gradients.pointer[i] = noise(i, seed: 3)
        exact += Double(noise(i, seed: 3)) * Double(noise(i, seed: 3))
      }
    }
    let recorder = RecordingNorms()
    let norm = try slab.owned.norm(of: slab.gradients.pointer, norms: recorder)
    // 4096 float additions in 32 lanes: 128 roundings of 6e-8 at most.
    #expect(abs(norm / exact.squareRoot() - 1) < 1e-5)
    let part = Ownership(of: slab.layout, ranges: [4096..<12288])
    let replay = ReplayingNorms(recorder.sums)
    #expect(try part.norm(of: slab.gradients.pointer, norms: replay) == norm)
    #expect(replay.differences == 0)
  }
}

/// Keeps what one rank with everything contributes.
private final class RecordingNorms: ParameterNorms {
  var sums: [[Double]] = []
  func combine(_ partialSums: UnsafeMutableBufferPointer<Double>) {
    sums.append(Array(partialSums))
  }
}

/// Gives a rank with a part the sums of all, and counts where its own contribution differs in bits.
private final class ReplayingNorms: ParameterNorms {
  private let sums: [[Double]]
  private var next = 0
  var differences = 0

  init(_ sums: [[Double]]) { self.sums = sums }

  func combine(_ partialSums: UnsafeMutableBufferPointer<Double>) {
    defer { if next < sums.count { next += 1 } }
    guard next < sums.count else { return }
    for i in partialSums.indices {
      if partialSums[i] != 0, partialSums[i] != sums[next][i] { differences += 1 }
      partialSums[i] = sums[next][i]
    }
  }
}
