import Tensors

/// A dense map's parameters: weight `[out, in]`, bias `[out]`.
public struct DenseParameters {
  public let weight: Parameter
  public let bias: Parameter

  public init(weight: Parameter, bias: Parameter) {
    (self.weight, self.bias) = (weight, bias)
  }
}

/// Halves of a transformer block as one operation each, where the products offer them (in bf16). All
/// return nil where they do not, or where the sizes do not suit: the caller then composes the half.
extension Context {
  /// residual + W₂ gelu(W₁ x + b₁) + b₂ of rows x `[…, in]`.
  public func feedForward(
    _ x: Variable, _ expand: DenseParameters, _ form: Gelu, _ contract: DenseParameters,
    addedTo residual: Variable?
  ) -> Variable? {
    let widths = [x.shape[-1], expand.weight.shape[0], contract.weight.shape[0]]
    guard let sections = products.sections,
      BlockSections.suits(rows: x.shape.rows, widths: widths)
    else { return nil }
    let (first, second) = (weights(expand), weights(contract))
    let y = Tensor(Shape(x.shape.extents.dropLast() + [widths[2]]), from: pool)
    let record = sections.feedForward(
      Matrix(x.tensor), first, form, second,
      residual: residual.map { UnsafePointer($0.tensor.pointer) }, into: Matrix(y),
      keepsInputs: tracksParameters)
    return section("feedForward", y, from: x, addedTo: residual, [expand, contract]) {
      dy, tape, input in
      sections.feedForwardGradients(
        dy, record, first, form, second,
        into: tape.gradients(of: expand, contract).map { ($0, $1) }, input: input)
    }
  }

  /// residual + W softmax(Q Kᵀ / √d) V + b with (Q | K | V) = W' x + b' of tokens x
  /// `[batch, tokens, width]`.
  public func attention(
    _ x: Variable, _ qkv: DenseParameters, _ projection: DenseParameters, heads: Int,
    addedTo residual: Variable?
  ) -> Variable? {
    let (batch, tokens, width) = (x.shape[0], x.shape[1], x.shape[2])
    let shape = AttentionShape(images: batch, tokens: tokens, heads: heads, depth: width / heads)
    guard let sections = products.sections, tokens >= 32, shape.depth % 16 == 0,
      BlockSections.suits(rows: batch * tokens, widths: [width])
    else { return nil }
    let (first, second) = (weights(qkv), weights(projection))
    let y = Tensor(x.shape, from: pool)
    let record = sections.attention(
      Matrix(x.tensor), first, second, shape,
      residual: residual.map { UnsafePointer($0.tensor.pointer) }, into: Matrix(y),
      keepsInputs: tracksParameters)
    return section("attention", y, from: x, addedTo: residual, [qkv, projection]) {
      dy, tape, input in
      sections.attentionGradients(
        dy, record, first, second, shape,
        into: tape.gradients(of: qkv, projection).map { ($0, $1) }, input: input)
    }
  }

  private func weights(_ map: DenseParameters) -> DenseWeights {
    let outputs = map.weight.shape[0]
    return DenseWeights(
      Matrix(parameters[map.weight].pointer, outputs, map.weight.shape.count / outputs),
      bias: UnsafePointer(parameters[map.bias].pointer))
  }

  private func section(
    _ operation: StaticString, _ y: Tensor, from x: Variable, addedTo residual: Variable?,
    _ maps: [DenseParameters],
    pullback: @escaping (Matrix, Tape, (into: Matrix, adding: Bool)?) -> Void
  ) -> Variable {
    let (xEdge, residualEdge) = (x.edge, residual?.edge)
    return record(
      operation, y, from: [x] + (residual.map { [$0] } ?? []),
      parameters: maps.flatMap { [$0.weight, $0.bias] }
    ) { dy, tape in
      var input: (into: Matrix, adding: Bool)?
      if xEdge.isTracked {
        let (dx, adding) = tape.accumulator(for: xEdge)
        input = (Matrix(dx), adding)
      }
      pullback(Matrix(dy), tape, input)
      if let residualEdge { tape.give(dy, to: residualEdge) }
    }
  }
}

extension Tape {
  /// Where the gradients of two dense maps are added; nil on a tape of inputs.
  fileprivate func gradients(
    of first: DenseParameters, _ second: DenseParameters
  ) -> (DenseGradients, DenseGradients)? {
    guard let a = gradients(of: first), let b = gradients(of: second) else { return nil }
    return (a, b)
  }

  private func gradients(of map: DenseParameters) -> DenseGradients? {
    guard let weight = gradient(of: map.weight), let bias = gradient(of: map.bias) else {
      return nil
    }
    let outputs = map.weight.shape[0]
    return DenseGradients(
      Matrix(weight, outputs, map.weight.shape.count / outputs), bias: bias)
  }
}
