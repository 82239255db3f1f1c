import Tensors

/// A trainable array: a named range of the slab. The model holds these handles, never the data.
public struct Parameter: Sendable, Equatable {
  /// Position in the layout: the index by which a tape counts uses.
  public let index: Int
  public let entry: ParameterLayout.Entry

  package init(index: Int, entry: ParameterLayout.Entry) {
    self.index = index
    self.entry = entry
  }

  public var name: String { entry.name }
  public var shape: Shape { entry.shape }
  public var range: Range<Int> { entry.range }
}

/// The first values of a parameter.
public enum Initializer: Sendable, Equatable {
  case constant(Float)
  /// Normal with this standard deviation. What the field calls "truncated normal 0.02" cuts at
  /// ±2 absolute, a hundred deviations out: it is this.
  case normal(Float)
  /// Uniform in ± the bound.
  case uniform(Float)

  func fill(_ values: UnsafeMutableBufferPointer<Float>, key: RandomKey) {
    switch self {
    case .constant(let value): values.update(repeating: value)
    case .normal(let deviation):
      for i in values.indices { values[i] = Float(key.normal(i) * Double(deviation)) }
    case .uniform(let bound):
      for i in values.indices { values[i] = Float((2 * key.uniform(i) - 1) * Double(bound)) }
    }
  }
}
