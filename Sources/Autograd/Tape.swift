import Tensors

/// Remembers what was computed, and walks it backwards.
///
/// Eager and define-by-run: every op computes at once and records one node with its pullback. Nodes
/// that nothing tracked led to are not recorded, so an attack's tape (`.inputs`) never holds, and
/// never computes, what only weight gradients need. `backward` consumes the tape.
public final class Tape {
  public enum Tracking {
    /// Gradients of parameters are added into this slab, and of whatever is watched.
    case parameters(gradients: UnsafeMutablePointer<Float>)
    /// Only what is watched: the tape of an attack.
    case inputs
  }

  typealias Pullback = (Tensor, Tape) -> Void

  private struct Node {
    let operation: StaticString
    var pullback: Pullback?
    let parameters: [Parameter]
    /// Makes the node's output again, for ops whose output is cheaper to compute than to keep.
    var regenerate: (() -> Tensor)?
    var isWatched = false
  }

  /// The gradient of a node's output so far.
  private struct Slot {
    var tensor: Tensor
    /// Columns of the last axis that nobody has written yet; they count as zero.
    var missing: [Range<Int>] = []
  }

  public let pool: BufferPool
  /// Slab to which parameter gradients are added; nil on a tape of inputs.
  let parameterGradients: UnsafeMutablePointer<Float>?
  /// Called when a parameter's gradient is final on this tape: after its last use in the walk.
  public var onParameterReady: ((Parameter) -> Void)?

  private var nodes: [Node] = []
  private var slots: [Slot?] = []
  private var uses: [Int: Int] = [:]
  /// False while a recomputed section runs forward: uses are counted, nothing else is kept.
  private(set) var isRecording = true
  /// The tape for which a recomputed section is replayed; it decides when a parameter is ready.
  private let outer: Tape?

  public init(_ tracking: Tracking, pool: BufferPool) {
    self.pool = pool
    self.outer = nil
    switch tracking {
    case .parameters(let gradients): parameterGradients = gradients
    case .inputs: parameterGradients = nil
    }
  }

  /// A tape that replays a section of `outer`.
  init(replaying outer: Tape) {
    pool = outer.pool
    parameterGradients = outer.parameterGradients
    self.outer = outer
  }

  public var tracksParameters: Bool { parameterGradients != nil }

  /// A variable whose gradient will be kept.
  public func watch(_ tensor: Tensor) -> Variable {
    nodes.append(
      Node(operation: "watch", pullback: nil, parameters: [], regenerate: nil, isWatched: true))
    slots.append(nil)
    return Variable(tensor, node: nodes.count - 1)
  }

  /// The gradient of a watched variable after `backward`; nil if the result does not depend on it.
  public func gradient(of variable: Variable) -> Tensor? {
    precondition(variable.isTracked && nodes[variable.node].isWatched, "variable is not watched")
    return whole(variable.node)
  }

  func record(
    _ operation: StaticString, _ output: Tensor, parameters: [Parameter] = [],
    regenerate: (() -> Tensor)? = nil, pullback: @escaping Pullback
  ) -> Variable {
    if tracksParameters { for parameter in parameters { uses[parameter.index, default: 0] += 1 } }
    guard isRecording else { return Variable(output) }
    nodes.append(
      Node(
        operation: operation, pullback: pullback,
        parameters: tracksParameters ? parameters : [], regenerate: regenerate))
    slots.append(nil)
    return Variable(output, node: nodes.count - 1)
  }

  /// Runs `section` without recording it, counting its uses of parameters.
  func withoutRecording<R>(_ section: () throws -> R) rethrows -> R {
    let before = isRecording
    isRecording = false
    defer { isRecording = before }
    return try section()
  }

  /// How a pullback gets at `variable`'s data later: kept, or made again where that is cheap.
  func saved(_ variable: Variable) -> () -> Tensor {
    if variable.isTracked, let regenerate = nodes[variable.node].regenerate {
      // The variable may be the node's output under another shape.
      let shape = variable.shape
      return { regenerate().reshaped(shape) }
    }
    let tensor = variable.tensor
    return { tensor }
  }
}

// MARK: - The walk

extension Tape {
  /// Propagates from a scalar (seed 1), consuming the tape.
  public func backward(from loss: Variable) {
    precondition(loss.tensor.count == 1, "backward starts from a scalar, not from \(loss.shape)")
    backward(from: loss, seed: Tensor([1], [1], from: pool))
  }

  /// Propagates the cotangent `seed` from any output; the tensor is given away.
  package func backward(from output: Variable, seed: Tensor) {
    guard output.isTracked else { return }
    give(seed, to: output.edge)
    for index in nodes.indices.reversed() {
      if !nodes[index].isWatched, let gradient = whole(index) {
        slots[index] = nil
        nodes[index].pullback?(gradient, self)
      }
      nodes[index].pullback = nil
      nodes[index].regenerate = nil
      for parameter in nodes[index].parameters { release(parameter) }
    }
  }

  /// Adds a whole gradient. The tensor is given away: the slot may add into it in place.
  func give(_ gradient: Tensor, to variable: Edge) {
    guard variable.isTracked else { return }
    if let present = whole(variable.node) {
      Elementwise.add(gradient.pointer, to: present.pointer, count: present.count)
    } else {
      slots[variable.node] = Slot(tensor: gradient.reshaped(variable.shape))
    }
  }

  /// Where to write a gradient: the tensor, and whether to add to what it holds.
  func accumulator(for variable: Edge) -> (tensor: Tensor, adding: Bool) {
    if let present = whole(variable.node) { return (present, true) }
    let fresh = Tensor(variable.shape, from: pool)
    slots[variable.node] = Slot(tensor: fresh)
    return (fresh, false)
  }

  /// As `accumulator`, for an op that writes some columns of the last axis in every row: the others
  /// are left to whoever writes them, and cleared only if nobody does. Nil where nothing is tracked.
  func accumulator(
    for variable: Edge, columns: Range<Int>
  ) -> (tensor: Tensor, adding: Bool)? {
    guard variable.isTracked else { return nil }
    let width = variable.shape[-1]
    let slot =
      slots[variable.node]
      ?? Slot(tensor: Tensor(variable.shape, from: pool), missing: [0..<width])
    slots[variable.node] = slot
    guard let gap = slot.missing.firstIndex(where: { $0.overlaps(columns) }) else {
      return (slot.tensor, true)
    }
    let range = slot.missing[gap]
    guard range.clamped(to: columns) == columns else {
      return whole(variable.node).map { ($0, true) }
    }
    let rest = [range.lowerBound..<columns.lowerBound, columns.upperBound..<range.upperBound]
    slots[variable.node]?.missing.replaceSubrange(gap...gap, with: rest.filter { !$0.isEmpty })
    return (slot.tensor, false)
  }

  /// The gradient of a node, with zeros where nobody has written.
  private func whole(_ node: Int) -> Tensor? {
    guard let slot = slots[node] else { return nil }
    guard !slot.missing.isEmpty else { return slot.tensor }
    let width = slot.tensor.shape[-1]
    for range in slot.missing {
      for row in 0..<slot.tensor.shape.rows {
        (slot.tensor.pointer + row * width + range.lowerBound)
          .update(repeating: 0, count: range.count)
      }
    }
    slots[node]?.missing = []
    return slot.tensor
  }

  /// As `accumulator`, for an op that writes only parts: a fresh tensor is zero.
  func partialAccumulator(for variable: Edge) -> Tensor {
    let (tensor, adding) = accumulator(for: variable)
    if !adding { tensor.pointer.update(repeating: 0, count: tensor.count) }
    return tensor
  }

  /// The gradient of a parameter, to be added to; nil on a tape of inputs.
  func gradient(of parameter: Parameter) -> UnsafeMutablePointer<Float>? {
    parameterGradients.map { $0 + parameter.entry.offset }
  }

  private func release(_ parameter: Parameter) {
    if let outer { return outer.release(parameter) }
    guard let left = uses[parameter.index] else {
      preconditionFailure("\(parameter.name) was released more often than used")
    }
    uses[parameter.index] = left == 1 ? nil : left - 1
    if left == 1 { onParameterReady?(parameter) }
  }
}
