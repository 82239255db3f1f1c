import Archives
import Autograd
import Checkpoints
import Collectives
import Datasets
import Foundation
import Recipes
import TestSupport
import Testing

/// Resuming costs the same wherever in an epoch a run stopped: on as many images as ImageNet has, in as
/// many files as its shards, at 99 % of the epoch and at its start.
@Suite struct ResumeCostTests {
  private static let files = 313
  private let folder: ScratchFolder

  /// One small shard under many names.
  init() throws {
    folder = try ScratchFolder()
    var options = SyntheticOptions()
    (options.count, options.imageSize) = (4093, 8)
    let source = try SyntheticImages(options, split: .train)
    _ = try ShardBuilder().build(
      SampleSourceInput(source, identity: "one"), output: folder["one"])
    let names = try FileSystem.list(folder["one"]).filter { $0.hasSuffix(".h5") }
    let shard = folder["one/\(try #require(names.first))"]
    try #require(names.count == 1)
    try FileSystem.makeFolder(folder["data"])
    for number in 0..<Self.files {
      try FileManager.default.linkItem(
        atPath: shard, toPath: folder["data/images-\(1000 + number)-of-1313.h5"])
    }
  }

  private func train(_ output: String, steps: Int) throws {
    let recipe = try Recipe(
      yaml: """
        seed: 3
        model: {kind: vit, imageSize: 8, patchSize: 4, width: 16, depth: 1, heads: 2, classes: 10}
        data: {train: \(folder["data"]), loaderThreads: 0}
        schedule: {kind: constant, warmupEpochs: 0}
        batch: {size: 64, virtualShards: 4, microBatch: 4}
        steps: \(steps)
        """)
    let run = TrainingRun(
      recipe, output: folder[output], communicator: SoloCommunicator(), version: "test",
      say: { _ in })
    #expect(try run.run(resume: .automatic, force: false).summary.steps == steps)
  }

  /// The state of the newest checkpoint of one run, as if it had come so far in another.
  private func move(_ origin: String, to output: String, step: Int) throws {
    let files = try CheckpointFiles(folder[origin])
    let manifest = files.manifest
    var layout = ParameterLayout()
    for parameter in manifest.parameters { layout.append(parameter.name, .init(parameter.shape)) }
    let store = try CheckpointStore(
      folder["\(output)/checkpoints"], communicator: SoloCommunicator())
    let memory = try manifest.slabs.map { name in
      let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: layout.count)
      _ = buffer.initialize(from: try files.read(name))
      return (name, buffer)
    }
    defer { for (_, buffer) in memory { buffer.deallocate() } }
    var content = CheckpointContent(
      layout: layout,
      slabs: memory.map { CheckpointSlab($0, whole: $1.baseAddress!, ranges: [0..<layout.count]) })
    content.step = step
    content.seed = manifest.seed
    content.virtualShards = manifest.virtualShards
    content.configDigest = manifest.configDigest
    content.dataFingerprint = manifest.dataFingerprint
    content.blasKernel = manifest.blasKernel
    content.model = manifest.model
    content.state = manifest.state
    try store.save(content)
  }

  @Test func theEndOfAnEpochIsAsNearAsItsStart() throws {
    let images = Self.files * 4093
    let late = images / 64 * 99 / 100
    try #require(images > 1_280_000)
    try train("run", steps: 1)
    try move("run", to: "early", step: 1)
    try move("run", to: "late", step: late)
    let clock = ContinuousClock()
    let early = try clock.measure { try train("early", steps: 2) }
    let difference = try clock.measure { try train("late", steps: late + 1) } - early
    print("one step after a resume: \(early), at 99 % of an epoch \(difference) more")
    #expect(difference < .seconds(1))
  }
}
