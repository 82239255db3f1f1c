import Dispatch
import Synchronization
import Tensors
import Testing

@Suite struct BufferPoolTests {
  @Test func blocksReturnAndAreHandedOutAgain() {
    let pool = BufferPool()
    var first: UnsafeMutablePointer<Float>?
    do {
      let tensor = Tensor([1000], from: pool)
      first = tensor.pointer
      #expect(pool.statistics.bytesInUse >= 4000)
    }
    #expect(pool.statistics.bytesInUse == 0)
    let again = Tensor([10, 99], from: pool)
    #expect(again.pointer == first, "990 floats fall into the class of 1000")
    #expect(pool.statistics.allocations == 1)
    #expect(pool.statistics.peakBytesInUse == pool.statistics.bytesInUse)
  }

  @Test func viewsKeepTheirBlock() {
    let pool = BufferPool()
    var view: Tensor? = Tensor([4, 100], from: pool).slice(1..<2)
    #expect(pool.statistics.bytesInUse > 0)
    #expect(view?.count == 100)
    view = nil
    #expect(pool.statistics.bytesInUse == 0)
  }

  @Test func slackIsAtMostAnEighthAndBlocksAreAligned() {
    let pool = BufferPool()
    for count in [1, 63, 64, 65, 127, 129, 1000, 4095, 4097, 100_000, 1_048_577] {
      let before = pool.statistics.bytesInUse
      let buffer = pool.take(count)
      let floats = (pool.statistics.bytesInUse - before) / 4
      #expect(floats >= count)
      #expect(floats <= max(64, count + max(count / 8, 16)), "\(floats) floats for \(count)")
      #expect(UInt(bitPattern: buffer.pointer) % 64 == 0)
    }
  }

  /// Eight threads write their own mark into blocks and find it unchanged.
  @Test func threadsNeverShareABlock() {
    let pool = BufferPool()
    let spoilt = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      for round in 0..<500 {
        let tensor = Tensor([64 + round % 7 * 100], from: pool)
        let mark = Float(thread * 1000 + round)
        tensor.pointer.update(repeating: mark, count: tensor.count)
        if !tensor.elements.allSatisfy({ $0 == mark }) { spoilt.withLock { $0 += 1 } }
      }
    }
    #expect(spoilt.withLock { $0 } == 0)
    #expect(pool.statistics.bytesInUse == 0)
    #expect(pool.statistics.allocations <= 8 * 7)
  }
}
