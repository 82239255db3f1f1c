import Archives
import ArgumentParser
import Configuration
import Networks
import Recipes
import Tensors

struct Evaluate: RankedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Score trained weights on a data set: accuracy, top-5, cross-entropy.",
    discussion: "Every image is counted once; the scores have the same bits on any number of ranks."
  )

  @OptionGroup var source: ModelOptions
  @OptionGroup var images: DataSelection
  @Option(
    help: .init(
      "Write the scores to this file as JSON; - for standard output. None by default.",
      valueName: "file"))
  var json = ""

  func run(_ session: Session) throws {
    let pool = BufferPool()
    let inference = Inference(source, images, try source.network(pool: pool))
    let result = try inference.evaluate(on: session.communicator, pool: pool)
    session.say(
      "accuracy \(percent(result.accuracy)), top-5 \(percent(result.top5)), loss "
        + "\(figure(result.loss)) on \(counted(result.samples, "image")) in "
        + duration(result.seconds)
        + (result.skipped > 0 ? "; \(result.skipped) corrupt images left out" : ""))
    let text = ValueTree(encoding: result).json
    if json == "-" {
      session.output(text)
    } else if !json.isEmpty, session.communicator.isRoot {
      try DurableFile.write(text + "\n", to: json)
    }
  }
}

struct Predict: RankedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the logits of every image to an HDF5 file.",
    discussion: "OUT.h5 holds /logits, f32 [N, classes], and /labels, int64 [N].")

  @OptionGroup var source: ModelOptions
  @OptionGroup var images: DataSelection
  @Option(help: .init("The HDF5 file to write.", valueName: "file")) var output: String

  func run(_ session: Session) throws {
    let pool = BufferPool()
    let inference = Inference(source, images, try source.network(pool: pool))
    let count = try inference.predict(to: output, on: session.communicator, pool: pool)
    session.say("wrote the logits of \(counted(count, "image")) to \(output)")
  }
}

extension Inference {
  init(_ source: ModelOptions, _ images: DataSelection, _ network: Network) {
    self.init(network, data: images.data)
    split = images.split
    options.cropFraction = images.cropFraction
    chunk = max(1, images.chunk)
    loaderThreads = min(64, max(0, images.loaderThreads))
  }
}
