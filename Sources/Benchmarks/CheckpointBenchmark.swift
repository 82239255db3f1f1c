import Archives
import Autograd
import Checkpoints
import Collectives
import Glibc
import Training

/// Times saving: how long training stands still, and how fast files are written and verified.
public struct CheckpointBenchmark {
  /// What `bench checkpoint --json` prints. Times are of the slowest rank of a repetition.
  public struct Result: Codable, Sendable {
    public var ranks = 1
    /// Of all files together, and of the slices of the rank that holds most.
    public var bytes = 0
    public var ownedBytes = 0
    /// A plain copy of the owned slices to memory that is there: the least of all repetitions, as it
    /// is where the core is its own.
    public var copyMilliseconds = 0.0
    /// What a save in the background takes from training, its call and its part of later steps: the
    /// least and the median.
    public var stallMilliseconds = 0.0
    public var medianStallMilliseconds = 0.0
    /// Of the least times.
    public var stallToCopy = 0.0
    /// From the call to the commit, beside steps that idle; the median.
    public var backgroundMilliseconds = 0.0
    /// The same save when training waits for it; the median.
    public var blockingMilliseconds = 0.0
    public var writeMegabytesPerSecond = 0.0
    /// Of `checkpoint verify`, from the page cache.
    public var verifyMegabytesPerSecond = 0.0
    /// Times that memory for copies was taken from the system after the first.
    public var allocationsAfterWarmup = 0
  }

  public var layout: ParameterLayout
  /// Slabs as long as the weights: 3 for AdamW.
  public var slabs = 3
  /// A folder of its own, on the file system to be timed; removed at the end.
  public var folder: String
  public var repetitions = 15

  public init(layout: ParameterLayout, folder: String) {
    self.layout = layout
    self.folder = folder
  }

  /// Runs on all ranks; the same result on all.
  public func run(on communicator: any Communicator) throws -> Result {
    defer { if communicator.isRoot { try? FileSystem.removeFolder(folder) } }
    var options = CheckpointOptions()
    options.keepLast = 1
    let store = try CheckpointStore(folder, communicator: communicator, options: options)
    let slice = OwnedSlice(layout, slabs: slabs, communicator)
    let copy = OwnedSlice(layout, slabs: slabs, communicator)
    var content = CheckpointContent(layout: layout, slabs: slice.slabs)
    try store.reserve(content, lastStep: 2 * repetitions + 2)

    var times: [(copy: Double, stall: Double, background: Double, blocking: Double)] = []
    for repetition in 0...repetitions {
      slice.change()
      let plain = try slowest(communicator) { copy.copy(slice) }
      slice.change()
      content.step += 1
      let (stall, background) = try inBackground(store, content, slice, communicator)
      content.step += 1
      let blocking = try slowest(communicator) { try store.save(content) }
      // The first round touches memory for the first time.
      if repetition > 0 { times.append((plain, stall, background, blocking)) }
    }
    var result = Result()
    result.ranks = communicator.size
    result.bytes = content.bytes
    result.ownedBytes = try communicator.allReduce(slice.bytes, by: .maximum)
    result.copyMilliseconds = 1000 * (times.map(\.copy).min() ?? 0)
    result.stallMilliseconds = 1000 * (times.map(\.stall).min() ?? 0)
    result.medianStallMilliseconds = 1000 * median(times.map(\.stall))
    result.stallToCopy = result.stallMilliseconds / result.copyMilliseconds
    result.backgroundMilliseconds = 1000 * median(times.map(\.background))
    result.blockingMilliseconds = 1000 * median(times.map(\.blocking))
    result.writeMegabytesPerSecond = Double(result.bytes) / 1e6 / median(times.map(\.blocking))
    result.allocationsAfterWarmup = store.copyAllocations - 1
    result.verifyMegabytesPerSecond = try verifyRate(communicator)
    return result
  }

  /// A save beside steps of some milliseconds that change the state at once. The collective of a
  /// step's end is there without a save as well, so it does not count.
  private func inBackground(
    _ store: CheckpointStore, _ content: CheckpointContent, _ slice: OwnedSlice,
    _ communicator: any Communicator
  ) throws -> (stall: Double, whole: Double) {
    try communicator.barrier()
    let start = ContinuousClock.now
    var stall = try ContinuousClock().measure { try store.begin(content) }
    while store.isPending {
      slice.change()
      usleep(5000)
      let isBusy = try communicator.allReduce(store.isBusy ? 1 : 0, by: .maximum) > 0
      if !isBusy { stall += try ContinuousClock().measure { _ = try store.advance() } }
    }
    let times = [stall, ContinuousClock.now - start].map { Int($0.inSeconds * 1e9) }
    let slowest = try communicator.allReduce(times, by: .maximum).map { Double($0) * 1e-9 }
    return (slowest[0], slowest[1])
  }

  /// Rank 0 reads all files, as the command does; the second time they are in the cache.
  private func verifyRate(_ communicator: any Communicator) throws -> Double {
    var rate = 0
    if communicator.isRoot {
      let files = try CheckpointFiles(folder)
      _ = try files.verify()
      let seconds = try ContinuousClock().measure { _ = try files.verify() }.inSeconds
      rate = Int(Double(files.bytes) / 1e3 / seconds)
    }
    return Double(try communicator.allReduce(rate, by: .maximum)) / 1e3
  }

  /// Seconds of the slowest rank, all starting together.
  private func slowest(
    _ communicator: any Communicator, _ body: () throws -> Void
  ) throws -> Double {
    try communicator.barrier()
    let seconds = try ContinuousClock().measure(body).inSeconds
    return Double(try communicator.allReduce(Int(seconds * 1e9), by: .maximum)) * 1e-9
  }

  private func median(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : values.sorted()[values.count / 2]
  }
}

/// What a rank owns of slabs that are laid out like the parameters: memory of its own.
private final class OwnedSlice {
  private let ranges: [Range<Int>]
  private let count: Int
  private let pointers: [UnsafeMutablePointer<Float>]

  init(_ layout: ParameterLayout, slabs: Int, _ communicator: any Communicator) {
    let partition = SlabPartition(count: layout.count, ranks: communicator.size)
    ranges = partition.ranges(of: communicator.rank)
    count = ranges.reduce(0) { $0 + $1.count }
    pointers = (0..<slabs).map { [count] _ in
      let pointer = UnsafeMutablePointer<Float>.allocate(capacity: max(1, count))
      pointer.initialize(repeating: 1, count: max(1, count))
      return pointer
    }
  }

  deinit { pointers.forEach { $0.deallocate() } }

  var bytes: Int { pointers.count * count * MemoryLayout<Float>.stride }

  var slabs: [CheckpointSlab] {
    pointers.enumerated().map { CheckpointSlab("slab.\($0)", packed: $1, ranges: ranges) }
  }

  func copy(_ other: OwnedSlice) {
    for (target, source) in zip(pointers, other.pointers) {
      target.update(from: source, count: count)
    }
  }

  /// As an optimizer does, all elements.
  func change() {
    for pointer in pointers { for i in 0..<count { pointer[i] += 1 } }
  }
}
