import Attacks
import Glibc
import Networks
import Tensors

/// z = W₂ tanh(W₁ x + b₁) + b₂, or one affine map, in double precision: classifiers for which the
/// results of attacks are known.
final class ToyVictim: Victim {
  struct Layer {
    var weight: [[Double]]
    var bias: [Double]
  }

  let description: ClassifierDescription
  let queries = QueryLog()
  private let layers: [Layer]
  private let pool: BufferPool

  init(channels: Int, side: Int, _ layers: [Layer], pool: BufferPool) {
    self.layers = layers
    self.pool = pool
    description = ClassifierDescription(
      channels: channels, side: side, classes: layers.last!.bias.count,
      mean: Array(repeating: 0, count: channels), deviation: Array(repeating: 1, count: channels))
  }

  func logits(_ images: Tensor, rows: [Int]) -> Tensor {
    queries.recordForward(rows)
    return scores(images)
  }

  func gradient(
    _ images: Tensor, rows: [Int], of cotangent: (_ logits: Tensor, _ cotangent: Tensor) -> Void
  ) -> (logits: Tensor, gradient: Tensor) {
    queries.recordForward(rows)
    let logits = scores(images)
    let seed = Tensor(logits.shape, from: pool)
    cotangent(logits, seed)
    let gradient = Tensor(images.shape, from: pool)
    let (width, classes) = (images.count / images.shape[0], description.classes)
    for row in 0..<images.shape[0] {
      let hidden = hidden(Array(images.elements[row * width..<(row + 1) * width]))
      var slope = (0..<classes).map { Double(seed.pointer[row * classes + $0]) }
      for (layer, input) in zip(layers, hidden).reversed() {
        let back = input.indices.map { k in
          slope.indices.reduce(0.0) { $0 + slope[$1] * layer.weight[$1][k] }
        }
        // The inputs of all layers but the first are tanh of something.
        slope = input == hidden[0] ? back : zip(back, input).map { $0 * (1 - $1 * $1) }
      }
      for k in 0..<width { gradient.pointer[row * width + k] = Float(slope[k]) }
    }
    queries.recordGradient(gradient, rows)
    return (logits, gradient)
  }

  /// The input of every layer.
  private func hidden(_ pixels: [Float]) -> [[Double]] {
    var inputs = [pixels.map(Double.init)]
    for layer in layers.dropLast() { inputs.append(affine(layer, inputs.last!).map { tanh($0) }) }
    return inputs
  }

  private func affine(_ layer: Layer, _ x: [Double]) -> [Double] {
    zip(layer.weight, layer.bias).map { row, bias in
      zip(row, x).reduce(bias) { $0 + $1.0 * $1.1 }
    }
  }

  private func scores(_ images: Tensor) -> Tensor {
    let width = images.count / images.shape[0]
    let values = (0..<images.shape[0]).flatMap { row in
      affine(layers.last!, hidden(Array(images.elements[row * width..<(row + 1) * width])).last!)
    }
    return Tensor([images.shape[0], description.classes], values.map(Float.init), from: pool)
  }
}

/// Three images of 1 × 2 × 2 and a linear classifier of three classes: every result has a closed form.
struct FixtureA {
  let pool = BufferPool(poisonsReturned: true)
  let victim: ToyVictim
  let images: Tensor
  let labels = [0, 0, 0]
  let keys = AttackKeys(seed: 42, samples: [0, 1, 2])

  /// - Parameter scale: of the logits; large ones saturate softmax.
  init(scale: Double = 1) {
    let weight: [[Double]] = [[2, -1, 1, 0.5], [0, 1, 0, 0.5], [-1, 0, 2, -1]]
    victim = ToyVictim(
      channels: 1, side: 2,
      [
        .init(
          weight: weight.map { $0.map { $0 * scale } }, bias: [0.2, 0.1, -0.3].map { $0 * scale })
      ], pool: pool)
    images = Tensor(
      [3, 1, 2, 2],
      [0.5, 0.5, 0.5, 0.5, 0.95, 0.05, 0.9, 0.5, 0.1, 0.9, 0.3, 0.5], from: pool)
  }
}

/// Four images of 3 × 8 × 8 and a network of 16 tanh units with weights that are counted out.
struct FixtureB {
  let pool = BufferPool(poisonsReturned: true)
  let victim: ToyVictim
  let images: Tensor
  let labels = [7, 0, 7, 0]
  let keys = AttackKeys(seed: 42, samples: [0, 1, 2, 3])

  init() {
    victim = ToyVictim(
      channels: 3, side: 8,
      [
        .init(
          weight: Self.table(16, 192) { h, k in (7 * h + 13 * k + 5 * h * k) % 31 - 15 }, over: 128,
          bias: (0..<16).map { (3 * $0) % 7 - 3 }, over: 16),
        .init(
          weight: Self.table(10, 16) { o, h in (11 * o + 5 * h + 3 * o * h) % 23 - 11 }, over: 8,
          bias: Array(repeating: 0, count: 10), over: 1),
      ], pool: pool)
    let pixels = Self.table(4, 192) { n, k in (37 * k + 29 * n * (k % 11) + 17 * n) % 127 }
    images = Tensor([4, 3, 8, 8], pixels.joined().map { Float($0) / 128 }, from: pool)
  }

  private static func table(
    _ rows: Int, _ columns: Int, _ entry: (Int, Int) -> Int
  ) -> [[Int]] {
    (0..<rows).map { row in (0..<columns).map { entry(row, $0) } }
  }
}

extension ToyVictim.Layer {
  /// Integers over a power of two.
  fileprivate init(weight: [[Int]], over divisor: Double, bias: [Int], over biasDivisor: Double) {
    self.weight = weight.map { row in row.map { Double($0) / divisor } }
    self.bias = bias.map { Double($0) / biasDivisor }
  }
}

/// What became of a batch: predictions, norms of the changes, margins of the labels.
struct Aftermath {
  var predictions: [Int] = []
  var norms: [PerturbationNorms] = []
  var margins: [Double] = []

  init(_ images: Tensor, around clean: Tensor, labels: [Int], _ victim: any Victim) throws {
    let logits = try victim.logits(images, rows: Array(labels.indices))
    let (width, classes) = (images.count / labels.count, logits.shape[1])
    for (row, label) in labels.enumerated() {
      let z = Array(logits.elements[row * classes..<(row + 1) * classes])
      predictions.append(z.firstIndex(of: z.max()!)!)
      let other = z.indices.filter { $0 != label }.map { z[$0] }.max()!
      margins.append(Double(z[label]) - Double(other))
      norms.append(
        PerturbationNorms(
          images.pointer + row * width, minus: clean.pointer + row * width, count: width))
    }
  }
}
