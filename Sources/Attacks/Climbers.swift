import Tensors

/// The images of a batch that an ascent is moving: all of them, or those that still stand.
struct Climbers {
  private let ascent: Ascent
  private let arena: Ascent.Arena
  /// Their places in the batch.
  private(set) var rows: [Int]
  private var goal: AttackGoal
  private var clean: Tensor
  /// Where they are, `[rows, channels, side, side]`.
  private(set) var x: Tensor
  private var memory: Tensor?

  init(_ ascent: Ascent, _ arena: Ascent.Arena, rows: [Int], restart: Int) {
    self.ascent = ascent
    self.arena = arena
    self.rows = rows
    let isWhole = rows.count == arena.images.shape[0]
    goal = isWhole ? arena.goal : arena.goal.selecting(rows, from: arena.pool)
    clean = isWhole ? arena.images : arena.images.selecting(rows, from: arena.pool)
    x = ascent.start.points(
      around: clean, rows: rows, ascent.threat, arena.keys, restart: restart, pool: arena.pool)
    memory = ascent.momentum == .none ? nil : .zeros(x.shape, from: arena.pool)
  }

  /// One step: a forward and a reverse pass, then a move within the threat model.
  ///
  /// - Parameter judge: sees the logits of where the images are, before they move; it may settle
  ///   some of them, and returns which positions stay then.
  mutating func climb(
    judge: (inout Climbers, _ logits: Tensor) throws -> [Int]? = { _, _ in nil }
  ) throws {
    let (loss, goal) = (ascent.loss, goal)
    let (logits, whole) = try arena.victim.gradient(x, rows: rows) {
      loss.gradient(of: $0, goal, into: $1)
    }
    let staying = try judge(&self, logits)
    guard !rows.isEmpty else { return }
    let gradient = staying.map { whole.selecting($0, from: arena.pool) } ?? whole
    ascent.threat.step(x, along: direction(gradient), by: ascent.stepSize, around: clean)
  }

  /// Writes the images that have reached the goal, and drops them.
  ///
  /// - Returns: the positions of those that stay; nil if all do.
  mutating func settleFooled(_ logits: Tensor, into result: Tensor) -> [Int]? {
    let staying = rows.indices.filter { !goal.isReached(row: $0, by: logits.row($0)) }
    guard staying.count < rows.count else { return nil }
    write(into: result)
    goal = goal.selecting(staying, from: arena.pool)
    clean = clean.selecting(staying, from: arena.pool)
    x = x.selecting(staying, from: arena.pool)
    memory = memory?.selecting(staying, from: arena.pool)
    rows = staying.map { rows[$0] }
    return staying
  }

  /// Writes where the images are to their places in the batch: all, or those at some positions.
  func write(into result: Tensor, where isWritten: (_ position: Int) -> Bool = { _ in true }) {
    let width = x.count / max(rows.count, 1)
    for (position, row) in rows.enumerated() where isWritten(position) {
      (result.pointer + row * width).update(from: x.pointer + position * width, count: width)
    }
  }

  /// The gradient, or what is remembered of all gradients.
  private func direction(_ gradient: Tensor) -> Tensor {
    guard let memory else { return gradient }
    let width = memory.count / max(rows.count, 1)
    for row in rows.indices {
      let (g, m) = (gradient.pointer + row * width, memory.pointer + row * width)
      switch (ascent.momentum, ascent.threat.norm) {
      case (.none, _): break
      case (.gradients(let decay), _):
        let size = Perturbations.sumOfMagnitudes(g, count: width)
        Perturbations.accumulate(
          g, times: size < 1e-12 ? 0 : Float(1 / size), into: m, decay: decay, count: width)
      case (.signs(let decay), .linf):
        Perturbations.accumulateSigns(g, into: m, decay: decay, count: width)
      case (.signs(let decay), .l2):
        let length = Perturbations.sumOfSquares(g, count: width).squareRoot()
        Perturbations.accumulate(
          g, times: Float(1 / max(length, 1e-12)), into: m, decay: decay, count: width)
      }
    }
    return memory
  }
}
