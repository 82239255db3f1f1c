import ArgumentParser
import Recipes
import Tensors

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
