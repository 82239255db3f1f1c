import Archives
import ArgumentParser
import Configuration
import Datasets

struct ShardsCreate: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Pack images into HDF5 shards.",
    discussion: """
      The source (--from):
        imagefolder  class folders of JPEG and PNG files, or a tar of them
        idx          the folder with the files of MNIST or Fashion-MNIST
        cifar10      the binary batches, as a folder or a tar; also cifar100
        hdf5         files of other programs
        synthetic    the embedded procedural data set, which needs no source

      Under mpirun the ranks share the work. A build that was stopped goes on when it is started \
      again. For example:
        vitdist shards create --from imagefolder photos --output data/photos
      """)

  enum Source: String, ExpressibleByArgument, CaseIterable {
    case imagefolder, idx, cifar10, cifar100, hdf5, synthetic
  }

  @Option(help: .init("What the source is.", valueName: "kind")) var from: Source
  @Argument(help: .init("A folder or a file.", valueName: "source")) var source = ""
  @Option(help: .init("The folder for the shards.", valueName: "folder")) var output: String
  @Option(
    help: .init(
      "Part of the source: train, validation, test, or a folder's name. By default the only one; "
        + "the training part of idx, cifar10, cifar100 and synthetic.", valueName: "name"))
  var split = ""

  @Option(help: .init("Beginning of the file names.", valueName: "text")) var name = "images"
  @Option(help: .init("Number of files; 0 to follow --images-per-shard.", valueName: "files"))
  var shards = 0
  @Option(help: .init("Most images in one file.", valueName: "images"))
  var imagesPerShard = 4096
  @Flag(inversion: .prefixedNo, help: "Put the images in a random order.") var shuffle = true
  @Option(help: .init("Seed of that order, and of synthetic images.", valueName: "integer"))
  var seed: UInt64 = 1
  @Option(help: .init("What to do with images that cannot be decoded.", valueName: "policy"))
  var broken = ShardOptions.BrokenImagePolicy.refuse
  @Option(
    help: .init(
      "A file with one class name a line, in the order of the labels. By default the source's own "
        + "names.", valueName: "file"))
  var classes = ""

  @Option(
    help: .init(
      "How images are brought to --image-size: shorter scales the shorter side to it, crop also "
        + "cuts out the middle square, squash gives up the proportions.", valueName: "rule"))
  var resize = RecodeOptions.Resize.none
  @Option(
    help: .init(
      "Side of resized images and of synthetic ones; 0 for 256 and 32.",
      valueName: "pixels"))
  var imageSize = 0
  @Option(
    help: .init(
      "How images are stored: keep leaves files that need no change as they are.",
      valueName: "form"))
  var storage = RecodeOptions.Storage.keep
  @Option(help: .init("Quality of JPEG streams made here, 1 to 100.", valueName: "quality"))
  var quality = 92
  @Option(help: .init("Number of synthetic images.", valueName: "images")) var count = 10_000
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
      "\(counted(totals[0], "image")) in \(counted(summary.shards, "shard")) of "
        + "\(mebibytes(totals[4])) in \(output): \(totals[1]) written now, "
        + "\(totals[2]) there before"
        + (totals[3] > 0 ? "; \(counted(totals[3], "image")) skipped" : ""))
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
        "--from \(from.rawValue)", "no source is named",
        remedy: "Give the folder or file, e.g. --from \(from.rawValue) SOURCE --output \(output)")
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
