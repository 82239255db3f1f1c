import Tensors

extension Context {
  /// Prefix tokens before the patch tokens, and the position embedding on all of them.
  ///
  /// - Parameters:
  ///   - patches: `[batch, patches, width]`
  ///   - prefix: parameters of `width` values each: class token, distillation token.
  ///   - position: `[1, prefix + patches, width]`, learned.
  ///   - table: the same, fixed; used where there is no parameter.
  /// - Returns: `[batch, prefix + patches, width]`
  public func assembleTokens(
    _ patches: Variable, prefix: [Parameter], position: Parameter?, table: Tensor?
  ) -> Variable {
    let (batch, n, width) = (patches.shape[0], patches.shape[1], patches.shape[2])
    let (k, total) = (prefix.count, prefix.count + patches.shape[1])
    guard let place = position.map({ parameters[$0] }) ?? table else {
      preconditionFailure("tokens need a position embedding")
    }
    let tokens = Tensor([batch, total, width], from: pool)
    for image in 0..<batch {
      let out = tokens.pointer + image * total * width
      out.update(from: place.pointer, count: total * width)
      for (i, token) in prefix.enumerated() {
        Elementwise.add(parameters[token].pointer, to: out + i * width, count: width)
      }
      Elementwise.add(
        patches.tensor.pointer + image * n * width, to: out + k * width, count: n * width)
    }

    let edge = patches.edge
    return record(
      "assembleTokens", tokens, from: [patches], parameters: prefix + (position.map { [$0] } ?? [])
    ) { d, tape in
      for image in 0..<batch {
        let row = d.pointer + image * total * width
        if let dPosition = position.flatMap({ tape.gradient(of: $0) }) {
          Elementwise.add(row, to: dPosition, count: total * width)
        }
        for (i, token) in prefix.enumerated() {
          guard let dToken = tape.gradient(of: token) else { continue }
          Elementwise.add(row + i * width, to: dToken, count: width)
        }
      }
      guard edge.isTracked else { return }
      let dPatches = Tensor(edge.shape, from: tape.pool)
      for image in 0..<batch {
        (dPatches.pointer + image * n * width)
          .update(from: d.pointer + (image * total + k) * width, count: n * width)
      }
      tape.give(dPatches, to: edge)
    }
  }

  /// Tokens `range` of every image: `[batch, range.count, width]`.
  public func tokens(_ x: Variable, _ range: Range<Int>) -> Variable {
    let (batch, n, width) = (x.shape[0], x.shape[1], x.shape[2])
    let run = range.count * width
    let chosen = Tensor([batch, range.count, width], from: pool)
    for image in 0..<batch {
      let start = x.tensor.pointer + (image * n + range.lowerBound) * width
      (chosen.pointer + image * run).update(from: start, count: run)
    }

    let edge = x.edge
    return record("tokens", chosen, from: [x]) { d, tape in
      let dx = tape.partialAccumulator(for: edge)
      for image in 0..<batch {
        Elementwise.add(
          d.pointer + image * run, to: dx.pointer + (image * n + range.lowerBound) * width,
          count: run)
      }
    }
  }

  /// Mean over tokens `first...` of every image: `[batch, width]`.
  public func meanOfTokens(_ x: Variable, from first: Int) -> Variable {
    let (batch, n, width) = (x.shape[0], x.shape[1], x.shape[2])
    let share = 1 / Float(n - first)
    let mean = Tensor.zeros([batch, width], from: pool)
    for image in 0..<batch {
      let out = mean.pointer + image * width
      Elementwise.addColumnSums(
        x.tensor.pointer + (image * n + first) * width, rows: n - first, width: width, to: out)
      Elementwise.scale(out, by: share, into: out, count: width)
    }

    let edge = x.edge
    return record("meanOfTokens", mean, from: [x]) { d, tape in
      let dx = tape.partialAccumulator(for: edge)
      for image in 0..<batch {
        for token in first..<n {
          Elementwise.add(
            d.pointer + image * width, times: share,
            to: dx.pointer + (image * n + token) * width, count: width)
        }
      }
    }
  }
}
