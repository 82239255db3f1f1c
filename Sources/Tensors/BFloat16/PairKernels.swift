import CLanes

/// Element-wise kernels on pairs of bfloat16, which compute in single precision.
enum PairKernels {
  /// y ← gelu(x); whole vectors of 32 numbers.
  static func gelu(_ form: Gelu, _ x: PackedRows, into y: PackedRows) {
    withExtendedLifetime((x, y)) {
      let count = x.rows * x.columns / 2
      switch form {
      case .erf: map(RoughErfForm.self, x.matrix.pointer, y.matrix.pointer, count)
      case .tanh: map(TanhForm.self, x.matrix.pointer, y.matrix.pointer, count)
      }
    }
  }

  /// dy ← dy · gelu'(x); whole vectors of 32 numbers.
  static func multiplyGeluSlopes(_ form: Gelu, _ x: PackedRows, into dy: PackedRows) {
    withExtendedLifetime((x, dy)) {
      let count = x.rows * x.columns / 2
      switch form {
      case .erf: multiplySlopes(RoughErfForm.self, x.matrix.pointer, dy.matrix.pointer, count)
      case .tanh: multiplySlopes(TanhForm.self, x.matrix.pointer, dy.matrix.pointer, count)
      }
    }
  }

  @inline(__always)
  private static func map<Form: LaneFunction>(
    _: Form.Type, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    var index = 0
    while index < count {
      let pairs = x.lanes(index)
      let (a, b) = (clanes_first_numbers(pairs), clanes_second_numbers(pairs))
      y.store(clanes_pairs_of_neighbours(Form.value(a), Form.value(b)), index)
      index += 16
    }
  }

  @inline(__always)
  private static func multiplySlopes<Form: LaneFunction>(
    _: Form.Type, _ x: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    var index = 0
    while index < count {
      let (pairs, gradient) = (x.lanes(index), dy.lanes(index))
      let a = clanes_first_numbers(gradient) * Form.slope(clanes_first_numbers(pairs))
      let b = clanes_second_numbers(gradient) * Form.slope(clanes_second_numbers(pairs))
      dy.store(clanes_pairs_of_neighbours(a, b), index)
      index += 16
    }
  }

  /// P ← softmax(factor · row) of every row of the scores, which are overwritten; see
  /// `Softmax.forward`. Rows of scores have space up to whole pairs of vectors: a part of a vector,
  /// stored in pieces, would have to reach the cache before it could be loaded again.
  static func softmax(_ scores: Matrix, factor: Float, into probabilities: PairMatrix) {
    let factor = factor * 1.442_695_04  // log₂ e
    let scale = Lanes(repeating: factor)
    for row in 0..<scores.rows {
      let x = scores.pointer + row * scores.stride
      let p = probabilities.pointer + row * probabilities.stride
      let shift = Lanes(repeating: -factor * Softmax.greatest(x, scores.columns))
      var sum = Lanes.zero
      forEachLanes(scores.columns) { column, count in
        var e = RoughMath.power(shift.addingProduct(x.lanes(column), scale))
        if count < 16 { e = e.first(count) }
        sum += e
        x.store(e, column)
      }
      let inverse = Lanes(repeating: 1 / sum.total)
      forEachLanePair(scores.columns) { column, count in
        let (first, second) = (x.lanes(column), x.lanes(column + 16))
        store(clanes_pairs_of_neighbours(first * inverse, second * inverse), count, p, column)
      }
    }
  }

  /// dS ← factor · P ∘ (dP - Σ P ∘ dP), row by row; see `Softmax.backward`.
  static func softmaxGradient(
    _ probabilities: PairMatrix, _ gradient: Matrix, factor: Float, into scores: PairMatrix
  ) {
    let scale = Lanes(repeating: factor)
    for row in 0..<gradient.rows {
      let p = UnsafePointer(probabilities.pointer + row * probabilities.stride)
      let d = UnsafePointer(gradient.pointer + row * gradient.stride)
      let s = scores.pointer + row * scores.stride
      // Two sums, or each product would wait for the one before.
      var (dot, other) = (Lanes.zero, Lanes.zero)
      forEachLanePair(gradient.columns) { column, count in
        let (pairs, first, second) = load(p, d, column, count)
        dot.addProduct(clanes_first_numbers(pairs), first)
        other.addProduct(clanes_second_numbers(pairs), second)
      }
      let mean = Lanes(repeating: (dot + other).total)
      forEachLanePair(gradient.columns) { column, count in
        let (pairs, first, second) = load(p, d, column, count)
        let a = (first - mean) * clanes_first_numbers(pairs) * scale
        let b = (second - mean) * clanes_second_numbers(pairs) * scale
        store(clanes_pairs_of_neighbours(a, b), count, s, column)
      }
    }
  }

  /// db ← db + Σ of the columns of x, whose number is a multiple of 32.
  static func addColumnSums(_ x: PairMatrix, to total: UnsafeMutablePointer<Float>) {
    for column in stride(from: 0, to: x.columns, by: 32) {
      var (a, b) = (Lanes.zero, Lanes.zero)
      var from = x.pointer + column / 2
      for _ in 0..<x.rows {
        let pairs = from.lanes(0)
        a += clanes_first_numbers(pairs)
        b += clanes_second_numbers(pairs)
        from += x.stride
      }
      total.store(total.lanes(column) + a, column)
      total.store(total.lanes(column + 16) + b, column + 16)
    }
  }

  /// `count` numbers of both, at most 32, and zeros.
  @inline(__always)
  private static func load(
    _ p: UnsafePointer<Float>, _ d: UnsafePointer<Float>, _ column: Int, _ count: Int
  ) -> (pairs: Lanes, first: Lanes, second: Lanes) {
    if count == 32 { return (p.lanes(column / 2), d.lanes(column), d.lanes(column + 16)) }
    return (
      p.lanes(column / 2, first: PairPacking.pairs(count)),
      d.lanes(column, first: min(16, count)), d.lanes(column + 16, first: max(0, count - 16))
    )
  }

  /// Pairs of `count` numbers, at most 32.
  @inline(__always)
  private static func store(
    _ pairs: Lanes, _ count: Int, _ row: UnsafeMutablePointer<Float>, _ column: Int
  ) {
    if count == 32 {
      row.store(pairs, column / 2)
    } else {
      row.store(pairs, column / 2, first: PairPacking.pairs(count))
    }
  }

  @inline(__always)
  private static func forEachLanePair(_ count: Int, _ body: (_ column: Int, _ count: Int) -> Void) {
    var column = 0
    while column < count {
      body(column, min(32, count - column))
      column += 32
    }
  }
}
