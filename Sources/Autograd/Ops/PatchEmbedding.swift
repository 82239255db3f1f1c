import Tensors

extension Context {
  /// Images to token rows: normalise the pixels, cut patches, project.
  ///
  /// - Parameters:
  ///   - images: `[batch, channels, side, side]` in pixels.
  ///   - weight: `[width, channels, patch, patch]`; `bias`: `[width]`, if any
  /// - Returns: `[batch, patches, width]`
  public func patchEmbedding(
    _ images: Variable, grid: PatchGrid, mean: [Float], deviation: [Float], weight: Parameter,
    bias: Parameter?
  ) -> Variable {
    let batch = images.shape[0]
    let pixels = images.tensor
    let shape: Shape = [batch, grid.patches, grid.width]
    let cut = { [pool] in
      let rows = Tensor(shape, from: pool)
      grid.cut(
        pixels.pointer, count: batch, mean: mean, deviation: deviation, into: rows.pointer)
      return rows
    }
    let imagesEdge = images.edge
    let rows = record("patches", cut(), from: [images]) { dRows, tape in
      let dImages = Tensor(imagesEdge.shape, from: tape.pool)
      grid.assemble(dRows.pointer, count: batch, deviation: deviation, into: dImages.pointer)
      tape.give(dImages, to: imagesEdge)
    }
    // The patch rows are cut again for the weight gradient instead of being kept.
    return linear(rows, again: cut, weight: weight, bias: bias)
  }
}
