import Tensors

/// How concentrated rows of attention weights are: sums over rows, in double precision.
public struct RowSparsity: Sendable, Equatable {
  public var rows = 0
  /// Σ Hoyer's measure, (√n - |w|₁/|w|₂) / (√n - 1): 0 for a uniform row, 1 for one of a single
  /// entry (Hoyer, 2004).
  public var hoyer = 0.0
  /// Σ over rows of the mass outside the K largest.
  public var tail = 0.0
  /// Σ |[w]_K - w|².
  public var residual = 0.0

  public init() {}

  mutating func add(_ row: RowTail.Sums, width: Int) {
    rows += 1
    tail += Double(row.tail)
    residual += Double(row.residual)
    hoyer += Self.hoyer(mass: Double(row.mass), energy: Double(row.energy), width: width)
  }

  static func hoyer(mass: Double, energy: Double, width: Int) -> Double {
    if width == 1 { return 1 }
    if energy == 0 { return 0 }
    let root = Double(width).squareRoot()
    return (root - mass / energy.squareRoot()) / (root - 1)
  }

  public static func += (a: inout RowSparsity, b: RowSparsity) {
    a.rows += b.rows
    a.hoyer += b.hoyer
    a.tail += b.tail
    a.residual += b.residual
  }
}

extension RowSparsity {
  /// Of the rows of `weights` `[…, n]`, with K = `k`; all of a row is kept where K ≥ n.
  public init(of weights: Tensor, keeping k: Int) {
    let width = weights.shape[-1]
    for row in 0..<weights.shape.rows {
      let start = UnsafePointer(weights.pointer + row * width)
      let chosen = k < width ? TopK.select(start, width: width, k: k) : .everything
      add(RowTail.sums(start, width: width, chosen), width: width)
    }
  }
}

extension Context {
  /// w unchanged, with factor · Σ |s - w|² over all rows added to the loss, where s = [w]_K keeps the
  /// K largest of a row and is a constant: the gradient is 2 · factor · w outside the K largest.
  ///
  /// The value is not in the result but in the sparsity's `residual`; whoever calls adds it.
  ///
  /// - Parameters:
  ///   - weights: rows of numbers that are not negative, `[…, n]`.
  ///   - k: 1 ..< n.
  public func penalizingTail(
    of weights: Variable, keeping k: Int, factor: Float
  ) -> (weights: Variable, sparsity: RowSparsity) {
    let (rows, width) = (weights.shape.rows, weights.shape[-1])
    let w = weights.tensor
    let chosen = Selections(rows: rows, pool)
    var sparsity = RowSparsity()
    for row in 0..<rows {
      let start = UnsafePointer(w.pointer + row * width)
      let selection = TopK.select(start, width: width, k: k)
      chosen[row] = selection
      sparsity.add(RowTail.sums(start, width: width, selection), width: width)
    }
    let edge = weights.edge
    let result = record("penalizingTail", w, from: [weights]) { d, tape in
      for row in 0..<rows {
        RowTail.addDropped(
          w.pointer + row * width, width: width, chosen[row], times: 2 * factor,
          to: d.pointer + row * width)
      }
      tape.give(d, to: edge)
    }
    return (result, sparsity)
  }

  /// [w]_K of every row: all but the K largest become 0. The choice counts as a constant.
  ///
  /// - Parameter renormalizing: divides by the mass that is kept.
  public func keepingLargest(
    of weights: Variable, _ k: Int, renormalizing: Bool
  ) -> Variable {
    let (rows, width) = (weights.shape.rows, weights.shape[-1])
    guard k < width else { return weights }
    let w = weights.tensor
    let chosen = Selections(rows: rows, pool)
    let factors = Tensor([rows], from: pool)
    let kept = Tensor(weights.shape, from: pool)
    for row in 0..<rows {
      let start = UnsafePointer(w.pointer + row * width)
      chosen[row] = TopK.select(start, width: width, k: k)
      let sums = RowTail.sums(start, width: width, chosen[row])
      factors.pointer[row] = renormalizing ? 1 / (sums.mass - sums.tail) : 1
      RowTail.keep(
        start, width: width, chosen[row], of: start, times: factors.pointer[row],
        into: kept.pointer + row * width)
    }
    let edge = weights.edge
    return record("keepingLargest", kept, from: [weights]) { d, tape in
      for row in 0..<rows {
        let gradient = d.pointer + row * width
        if renormalizing {
          // w/m with m = Σ kept w: dw = (d - Σ d w/m) / m on what is kept.
          let dot = Elementwise.dot(gradient, kept.pointer + row * width, count: width)
          for i in 0..<width { gradient[i] -= dot }
        }
        RowTail.keep(
          w.pointer + row * width, width: width, chosen[row], of: gradient,
          times: factors.pointer[row], into: gradient)
      }
      tape.give(d, to: edge)
    }
  }
}

/// What is kept of each row, in a pooled tensor: eight bytes a row.
private struct Selections {
  private let words: Tensor

  init(rows: Int, _ pool: BufferPool) { words = Tensor([rows, 2], from: pool) }

  subscript(row: Int) -> TopK.Selection {
    get {
      TopK.Selection(
        threshold: Int32(bitPattern: words.pointer[2 * row].bitPattern),
        end: Int32(bitPattern: words.pointer[2 * row + 1].bitPattern))
    }
    nonmutating set {
      words.pointer[2 * row] = Float(bitPattern: UInt32(bitPattern: newValue.threshold))
      words.pointer[2 * row + 1] = Float(bitPattern: UInt32(bitPattern: newValue.end))
    }
  }
}
