import Archives
import ArgumentParser
import Configuration
import Datasets

struct ShardsCreate: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Pack images into HDF5 shards.",
    discussion: """
      Sources (--from): imagefolder, class folders of JPEG and PNG files or a tar of them; idx, the
      files of MNIST and Fashion-MNIST; cifar10 and cifar100, binary batches; hdf5, files of other
      programs; synthetic, the embedded procedural data set, which needs no SRC. Under mpirun the
      ranks share the work. A build that was stopped goes on when it is started again.
      """)

  enum Source: String, ExpressibleByArgument, CaseIterable {
    case imagefolder, idx, cifar10, cifar100, hdf5, synthetic
  }

  @Option(help: "What kind of source.") var from: Source
  @Argument(help: "The source: a folder or a file.") var source = ""
  @Option(help: "The folder for the shards.") var output: String
  @Option(help: "Part of the source: train, validation or test, or a folder's name.")
  var split = ""

  @Option(help: "Beginning of the file names.") var name = "images"
  @Option(help: "Number of files; 0 to follow --images-per-shard.") var shards = 0
  @Option(help: "Most images in one file.") var imagesPerShard = 4096
  @Flag(inversion: .prefixedNo, help: "Put the images in a random order.") var shuffle = true
  @Option(help: "Of that order, and of synthetic images.") var seed: UInt64 = 1
  @Option(help: "refuse or skip images that cannot be decoded.")
  var broken = ShardOptions.BrokenImagePolicy.refuse
  @Option(help: "A file with one class name a line, in the order of the labels.") var classes = ""

  @Option(help: "none, shorter, crop or squash: how images are brought to --image-size.")
  var resize = RecodeOptions.Resize.none
  @Option(help: "Side in pixels, of resized and of synthetic images.") var imageSize = 0
  @Option(help: "keep, raw, jpeg or png.") var storage = RecodeOptions.Storage.keep
  @Option(help: "Of JPEG streams made here.") var quality = 92
  @Option(help: "Number of synthetic images.") var count = 10_000
  @Flag(help: "Replace shards made from another source or with other options.") var force = false

  func run(_ session: Session) throws {
    let ranks = session.communicator
    let builder = ShardBuilder(
      try options.validated(), transform: RecodeImages(try recoding.validated()), isForced: force)
    let progress = CountProgress("packing")
    let summary = try builder.build(
      try input(), output: output, rank: ranks.rank, size: ranks.size,
      progress: { if ranks.isRoot { progress.update($0, of: $1) } })
    progress.finish()
    for image in summary.skipped { printError("skipped \(image.name): \(image.problem)") }
    let totals = try ranks.allReduce(
      [summary.images, summary.written, summary.kept, summary.skipped.count, summary.bytes],
      by: .sum)
    session.say(
      "\(totals[0]) images in \(summary.shards) shard\(summary.shards == 1 ? "" : "s") "
        + "(\(totals[4] >> 20) MiB): \(totals[1]) written, \(totals[2]) kept, "
        + "\(totals[3]) images skipped; \(output)")
  }

  private var options: ShardOptions {
    var options = ShardOptions()
    options.name = name
    options.shards = shards
    options.imagesPerShard = imagesPerShard
    options.shuffle = shuffle
    options.seed = seed
    options.broken = broken
    return options
  }

  private var recoding: RecodeOptions {
    var options = RecodeOptions()
    options.resize = resize
    if imageSize > 0 { options.size = imageSize }
    options.storage = storage
    options.quality = quality
    return options
  }

  private func input() throws -> any ShardInput {
    if from == .synthetic { return try synthetic() }
    guard !source.isEmpty, let kind = ShardInputKind(rawValue: from.rawValue) else {
      throw ConfigurationError(
        "SRC", "--from \(from.rawValue) needs a source",
        remedy: "Give the folder or file after the options")
    }
    let names = classes.isEmpty ? [] : try classNames()
    return try kind.open(source, split: split, classes: names)
  }

  private func synthetic() throws -> any ShardInput {
    var options = SyntheticOptions()
    options.count = count
    options.seed = seed
    if imageSize > 0 { options.imageSize = imageSize }
    let part: SyntheticImages.Split
    switch split {
    case "", "train": part = .train
    case "validation", "test": part = .validation
    default:
      throw ConfigurationError(
        "--split", "the synthetic data set has no part \(split)",
        remedy: "Give train or validation")
    }
    return try SampleSourceInput(
      try SyntheticImages(try options.validated(), split: part),
      identity: "synthetic \(part) \(ValueTree(encoding: options).canonical)")
  }

  private func classNames() throws -> [String] {
    let reader = try FileReader(classes)
    let text = String(decoding: try reader.bytes(at: 0, count: reader.size), as: UTF8.self)
    return text.split(separator: "\n").map { String($0.drop { $0 == " " }) }
  }
}

extension ShardOptions.BrokenImagePolicy: ExpressibleByArgument {}
extension RecodeOptions.Resize: ExpressibleByArgument {}
extension RecodeOptions.Storage: ExpressibleByArgument {}
