import Tensors

/// The images of a batch that DeepFool has not yet turned.
struct BoundaryWalkers {
  /// Keeps quotients finite where a gradient vanishes.
  private static let least = 1e-8
  /// τ: what a step goes beyond the boundary, so that rounding does not leave it on the line.
  private static let margin = 1e-4

  private let attack: DeepFool
  private let pool: BufferPool
  /// Their places in the batch.
  private(set) var rows: [Int]
  /// Of each: the class to be left, then those whose boundaries are looked at.
  private var classes: [[Int]]
  private var clean: Tensor
  /// The sum of the steps, before the overshoot, `[rows, channels, side, side]`.
  private var path: Tensor
  private(set) var x: Tensor

  /// - Parameter logits: of the images; those that are not predicted as labelled do not walk.
  init(
    _ attack: DeepFool, _ images: Tensor, labels: [Int], logits: Tensor, pool: BufferPool
  ) {
    self.attack = attack
    self.pool = pool
    rows = labels.indices.filter { logits.row($0).indexOfGreatest == labels[$0] }
    let count = attack.candidates == 0 ? logits.shape[1] : attack.candidates
    classes = rows.map { row in
      let scores = logits.row(row)
      return Array(scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(count))
    }
    clean = images.selecting(rows, from: pool)
    path = .zeros(clean.shape, from: pool)
    x = clean.copy(from: pool)
  }

  private var width: Int { x.count / max(rows.count, 1) }

  /// One step of every image that still stands where it should not: z and ∇z of q - 1 pairs of
  /// classes, each by a pass of its own, then the step over the nearest boundary
  /// d = |z_k - z_0| / ‖w‖*, w = ∇(z_k - z_0), where the norm is the dual one.
  mutating func cross(_ victim: any Victim, settlingInto result: Tensor) throws {
    var distances: [Double] = []
    var nearest: Tensor?
    for candidate in 1..<(classes.first?.count ?? 1) {
      var (logits, gradient) = try slopes(victim, candidate)
      if candidate == 1 {
        if let staying = settleTurned(logits, into: result) {
          logits = logits.selecting(staying, from: pool)
          gradient = gradient.selecting(staying, from: pool)
        }
        guard !rows.isEmpty else { return }
        distances = [Double](repeating: .infinity, count: rows.count)
        nearest = Tensor(x.shape, from: pool)
      }
      for row in rows.indices {
        let scores = logits.row(row)
        let rise = Double(scores[classes[row][candidate]]) - Double(scores[classes[row][0]])
        let slope = gradient.pointer + row * width
        let distance = abs(rise) / (dualLength(slope) + Self.least)
        guard distance < distances[row], let nearest else { continue }
        distances[row] = distance
        (nearest.pointer + row * width).update(from: slope, count: width)
      }
    }
    if let nearest { move(along: nearest, by: distances) }
  }

  /// Logits, and the gradient of z_k - z_0 of every image, k its candidate of that number.
  private func slopes(
    _ victim: any Victim, _ candidate: Int
  ) throws -> (logits: Tensor, gradient: Tensor) {
    let classes = classes
    return try victim.gradient(x, rows: rows) { logits, cotangent in
      let count = logits.shape[1]
      cotangent.pointer.update(repeating: 0, count: cotangent.count)
      for (row, pair) in classes.enumerated() {
        cotangent.pointer[row * count + pair[candidate]] = 1
        cotangent.pointer[row * count + pair[0]] = -1
      }
    }
  }

  /// ‖w‖₂ for l2, ‖w‖₁ for l∞.
  private func dualLength(_ slope: UnsafePointer<Float>) -> Double {
    attack.norm == .linf
      ? Perturbations.sumOfMagnitudes(slope, count: width)
      : Perturbations.sumOfSquares(slope, count: width).squareRoot()
  }

  /// path ← path + (d + τ) w / ‖w‖₂, or its sign for l∞; x ← clip(clean + (1 + η) path).
  private func move(along slopes: Tensor, by distances: [Double]) {
    for row in rows.indices {
      let (slope, sum) = (slopes.pointer + row * width, path.pointer + row * width)
      let length = distances[row] + Self.margin
      switch attack.norm {
      case .l2:
        let factor = length / (dualLength(slope) + Self.least)
        Elementwise.add(slope, times: Float(factor), to: sum, count: width)
      case .linf:
        for i in 0..<width where slope[i] != 0 {
          sum[i] += slope[i] > 0 ? Float(length) : -Float(length)
        }
      }
    }
    x.pointer.update(from: clean.pointer, count: x.count)
    Elementwise.add(
      path.pointer, times: Float(1 + attack.overshoot), to: x.pointer, count: x.count)
    Perturbations.clipToPixels(x.pointer, count: x.count)
  }

  /// Writes the images that have left their class, unless the way was longer than ε, and drops them.
  ///
  /// - Returns: the positions of those that stay; nil if all do.
  @discardableResult
  mutating func settleTurned(_ logits: Tensor, into result: Tensor) -> [Int]? {
    let staying = rows.indices.filter { logits.row($0).indexOfGreatest == classes[$0][0] }
    guard staying.count < rows.count else { return nil }
    let (left, size) = (Set(rows.indices).subtracting(staying), width)
    for position in left {
      let (from, origin) = (x.pointer + position * size, clean.pointer + position * size)
      guard attack.threat.distance(from, origin, count: size) <= Double(attack.threat.epsilon)
      else { continue }
      (result.pointer + rows[position] * size).update(from: from, count: size)
    }
    classes = staying.map { classes[$0] }
    clean = clean.selecting(staying, from: pool)
    path = path.selecting(staying, from: pool)
    x = x.selecting(staying, from: pool)
    rows = staying.map { rows[$0] }
    return staying
  }
}
