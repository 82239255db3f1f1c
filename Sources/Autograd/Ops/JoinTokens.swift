import Tensors

extension Context {
  /// The tokens of several variables of equal width, one after the other: `[batch, Σ tokens, width]`.
  public func joinTokens(_ parts: [Variable]) -> Variable {
    let (batch, width) = (parts[0].shape[0], parts[0].shape[2])
    let total = parts.reduce(0) { $0 + $1.shape[1] }
    let joined = Tensor([batch, total, width], from: pool)
    var first = 0
    for part in parts {
      let run = part.shape[1] * width
      for image in 0..<batch {
        (joined.pointer + (image * total + first) * width)
          .update(from: part.tensor.pointer + image * run, count: run)
      }
      first += part.shape[1]
    }

    let edges = parts.map(\.edge)
    return record("joinTokens", joined, from: parts) { d, tape in
      var first = 0
      for edge in edges {
        let run = edge.shape[1] * width
        if edge.isTracked {
          let dPart = tape.partialAccumulator(for: edge)
          for image in 0..<batch {
            Elementwise.add(
              d.pointer + (image * total + first) * width, to: dPart.pointer + image * run,
              count: run)
          }
        }
        first += edge.shape[1]
      }
    }
  }

  /// A learned token before the tokens of every image: `[batch, 1 + tokens, width]`.
  ///
  /// - Parameter token: a parameter of `width` values.
  public func prependToken(_ token: Parameter, to x: Variable) -> Variable {
    let (batch, tokens, width) = (x.shape[0], x.shape[1], x.shape[2])
    let (run, longer) = (tokens * width, (tokens + 1) * width)
    let joined = Tensor([batch, tokens + 1, width], from: pool)
    for image in 0..<batch {
      let out = joined.pointer + image * longer
      out.update(from: parameters[token].pointer, count: width)
      (out + width).update(from: x.tensor.pointer + image * run, count: run)
    }

    let edge = x.edge
    return record("prependToken", joined, from: [x], parameters: [token]) { d, tape in
      if let dToken = tape.gradient(of: token) {
        for image in 0..<batch {
          Elementwise.add(d.pointer + image * longer, to: dToken, count: width)
        }
      }
      guard edge.isTracked else { return }
      let dx = tape.partialAccumulator(for: edge)
      for image in 0..<batch {
        Elementwise.add(
          d.pointer + image * longer + width, to: dx.pointer + image * run, count: run)
      }
    }
  }

  /// x plus the same rows in every image.
  ///
  /// - Parameters:
  ///   - x: `[batch, tokens, width]`
  ///   - rows: `[tokens, width]`
  public func addToEveryImage(_ rows: Variable, to x: Variable) -> Variable {
    let (batch, run) = (x.shape[0], rows.shape.count)
    precondition(x.shape.count == batch * run, "\(rows.shape) cannot be added to \(x.shape)")
    let sum = x.tensor.copy(from: pool)
    for image in 0..<batch {
      Elementwise.add(rows.tensor.pointer, to: sum.pointer + image * run, count: run)
    }

    let (rowsEdge, xEdge) = (rows.edge, x.edge)
    return record("addToEveryImage", sum, from: [rows, x]) { d, tape in
      if rowsEdge.isTracked {
        let dRows = tape.partialAccumulator(for: rowsEdge)
        for image in 0..<batch {
          Elementwise.add(d.pointer + image * run, to: dRows.pointer, count: run)
        }
      }
      tape.give(d, to: xEdge)
    }
  }
}
