/// How attention cuts its rows and columns.
public struct AttentionShape: Sendable {
  public let images: Int
  public let tokens: Int
  public let heads: Int
  public let depth: Int

  public init(images: Int, tokens: Int, heads: Int, depth: Int) {
    (self.images, self.tokens, self.heads, self.depth) = (images, tokens, heads, depth)
  }

  var width: Int { heads * depth }
  /// 1/√depth
  var factor: Float { 1 / Float(depth).squareRoot() }
}

// MARK: - y = residual + W softmax(Q Kᵀ / √d) V + b with (Q | K | V) = x W'ᵀ + b'

extension BlockSections {
  /// What the backward pass needs; x and the mixed values only for gradients of weights.
  public struct AttentionRecord: Sendable {
    let x: PackedRows?
    let qkv: PackedRows
    /// `[image, head, query]` rows of keys.
    let weights: PackedRows
    let mixed: PackedRows?
  }

  public func attention(
    _ x: Matrix, _ qkvMap: DenseWeights, _ projection: DenseWeights, _ shape: AttentionShape,
    residual: UnsafePointer<Float>?, into y: Matrix, keepsInputs: Bool
  ) -> AttentionRecord {
    let n = shape.tokens
    let packed = PackedRows(x, from: linear.pool)
    let qkv = linear.rounded(packed, qkvMap.weight, transposed: true, bias: qkvMap.bias)
    let weights = PackedRows(
      rows: shape.images * shape.heads * n, columns: n, from: linear.pool)
    let mixed = PackedRows(rows: x.rows, columns: shape.width, from: linear.pool)
    withExtendedLifetime((qkv, weights, mixed)) {
      let whole = (n + 31) & ~31
      linear.pool.withScratch(n * whole) { scratch in
        let scores = Matrix(scratch, n, n, stride: whole)
        for head in shape.all {
          let p = weights.matrix.rows(head.weights)
          linear.tiles.multiplyByRows(
            qkv.head(head, .q), turned: qkv.head(head, .k), into: scores
          ) { rows in
            PairKernels.softmax(scores.rows(rows), factor: shape.factor, into: p.rows(rows))
          }
          product(
            p, qkv.head(head, .v), into: mixed.matrix.rows(head.rows).columns(head.columns))
        }
      }
    }
    finish(mixed, projection, residual: residual, into: y)
    return AttentionRecord(
      x: keepsInputs ? packed : nil, qkv: qkv, weights: weights, mixed: keepsInputs ? mixed : nil)
  }

  public func attentionGradients(
    _ dy: Matrix, _ record: AttentionRecord, _ qkvMap: DenseWeights, _ projection: DenseWeights,
    _ shape: AttentionShape, into gradients: (qkv: DenseGradients, projection: DenseGradients)?,
    input: (into: Matrix, adding: Bool)?
  ) {
    let packed = PackedRows(dy, from: linear.pool)
    if let target = gradients?.projection, let mixed = record.mixed {
      add(packed, of: dy, mixed, to: target)
    }
    let dMixed = linear.rounded(packed, projection.weight, transposed: false)
    let dqkv = PackedRows(rows: dy.rows, columns: 3 * shape.width, from: linear.pool)
    let dScores = PackedRows(rows: shape.tokens, columns: shape.tokens, from: linear.pool)
    withExtendedLifetime((record, dMixed, dqkv, dScores)) {
      for head in shape.all {
        differentiate(
          head, shape, record.qkv, record.weights.matrix.rows(head.weights),
          dMixed.matrix.rows(head.rows).columns(head.columns), dScores.matrix, into: dqkv)
      }
    }
    finish(dqkv, record.x, qkvMap.weight, into: gradients?.qkv, input: input)
  }

  /// dP = dO Vᵀ, dS = softmax'(P, dP), dQ = dS K, dK = dSᵀ Q, dV = Pᵀ dO of one head.
  private func differentiate(
    _ head: AttentionShape.Head, _ shape: AttentionShape, _ qkv: PackedRows, _ p: PairMatrix,
    _ d: PairMatrix, _ dScores: PairMatrix, into dqkv: PackedRows
  ) {
    let n = shape.tokens
    linear.pool.withScratch(n * n) { scratch in
      let dp = Matrix(scratch, n, n)
      linear.tiles.multiplyByRows(d, turned: qkv.head(head, .v), into: dp) { rows in
        PairKernels.softmaxGradient(
          p.rows(rows), dp.rows(rows), factor: shape.factor, into: dScores.rows(rows))
      }
    }
    product(dScores, qkv.head(head, .k), into: dqkv.head(head, .q))
    product(dScores, turning: true, qkv.head(head, .q), into: dqkv.head(head, .k))
    product(p, turning: true, d, into: dqkv.head(head, .v))
  }

  private func product(
    _ a: PairMatrix, turning: Bool = false, _ b: PairMatrix, into c: PairMatrix
  ) {
    linear.tiles.multiply(a, transposed: turning, b, transposed: false, into: TileOutput(c))
  }
}

// MARK: - One head of one image

extension AttentionShape {
  struct Head {
    /// Of the image, among all rows.
    let rows: Range<Int>
    /// Of the head, among those of queries, keys or values.
    let columns: Range<Int>
    /// Rows of the attention weights.
    let weights: Range<Int>
  }

  var all: some Sequence<Head> {
    (0..<images * heads).lazy.map { index in
      let (image, head) = (index / heads, index % heads)
      return Head(
        rows: image * tokens..<(image + 1) * tokens, columns: head * depth..<(head + 1) * depth,
        weights: index * tokens..<(index + 1) * tokens)
    }
  }
}

extension PackedRows {
  fileprivate enum Part: Int {
    case q, k, v
  }

  /// Queries, keys or values of a head in rows of (q | k | v) × head × depth.
  fileprivate func head(_ head: AttentionShape.Head, _ part: Part) -> PairMatrix {
    let start = part.rawValue * columns / 3
    return matrix.rows(head.rows)
      .columns(start + head.columns.lowerBound..<start + head.columns.upperBound)
  }
}
