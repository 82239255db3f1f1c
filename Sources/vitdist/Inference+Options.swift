import Networks
import Recipes

extension Inference {
  init(_ source: ModelOptions, _ images: DataSelection, _ network: Network) {
    self.init(network, data: images.data)
    split = images.split
    options.cropFraction = images.cropFraction
    chunk = max(1, images.chunk)
    precision = images.precision
    loaderThreads = min(64, max(0, images.loaderThreads))
  }
}
