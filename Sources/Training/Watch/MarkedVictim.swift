import Attacks
import Networks
import Tensors

/// A victim whose passes the watchdog sees: an attack may take as many as it likes, a single one not.
final class MarkedVictim: Victim {
  private let victim: any Victim
  private let marks: Marks
  /// What the marks say is being attacked.
  var chunk = 0

  init(_ victim: any Victim, _ marks: Marks) {
    self.victim = victim
    self.marks = marks
  }

  var description: ClassifierDescription { victim.description }
  var queries: QueryLog { victim.queries }

  func logits(_ images: Tensor, rows: [Int]) throws -> Tensor {
    marks(.evaluate, chunk)
    return try victim.logits(images, rows: rows)
  }

  func gradient(
    _ images: Tensor, rows: [Int], of cotangent: (_ logits: Tensor, _ cotangent: Tensor) -> Void
  ) throws -> (logits: Tensor, gradient: Tensor) {
    marks(.evaluate, chunk)
    return try victim.gradient(images, rows: rows, of: cotangent)
  }
}
