import Tensors

/// A tensor in a computation: its data and, if somebody needs its gradient, its node on the tape.
public struct Variable {
  public let tensor: Tensor
  /// Position on the tape; negative for a constant.
  let node: Int

  /// A constant: no gradient flows into it.
  public init(_ tensor: Tensor) { self.init(tensor, node: -1) }

  init(_ tensor: Tensor, node: Int) {
    self.tensor = tensor
    self.node = node
  }

  public var shape: Shape { tensor.shape }
  public var isTracked: Bool { node >= 0 }

  /// The same variable under another shape.
  public func reshaped(_ shape: Shape) -> Variable { Variable(tensor.reshaped(shape), node: node) }

  /// Where gradients of this variable go. A pullback captures the edge, not the variable: the data
  /// then lives only as long as somebody needs the data.
  var edge: Edge { Edge(node: node, shape: shape) }
}

struct Edge {
  let node: Int
  let shape: Shape
  var isTracked: Bool { node >= 0 }
}
