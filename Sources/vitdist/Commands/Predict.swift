import ArgumentParser
import Collectives
import Recipes
import Tensors
import Training

struct Predict: RankedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the logits of every image to an HDF5 file.",
    discussion: "OUT.h5 holds /logits, f32 [N, classes], and /labels, int64 [N].")

  @OptionGroup var source: ModelOptions
  @OptionGroup var images: DataSelection
  @Option(help: .init("The HDF5 file to write.", valueName: "file")) var output: String
  @OptionGroup var watch: WatchOptions

  func watchdog(_ launch: Launch) -> Watchdog? { watch.watchdog(launch, besides: output) }

  func run(_ session: Session) throws {
    session.watchdog?.marks(.prepare)
    let pool = BufferPool()
    var inference = Inference(source, images, try source.network(pool: pool))
    inference.marks = session.watchdog?.marks ?? .none
    let count = try inference.predict(to: output, on: session.communicator, pool: pool)
    session.say("wrote the logits of \(counted(count, "image")) to \(output)")
  }
}
