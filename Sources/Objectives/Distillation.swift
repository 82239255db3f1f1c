import Autograd
import Configuration
import Datasets
import Tensors

/// Learning from a frozen teacher through the distillation token (Touvron et al., 2021):
/// (1 - α) · CE(class head, labels) + α · L(distillation head, teacher). A model with one head
/// learns both from it.
public struct Distillation: Objective, Loss {
  public static let kind = "distillation"
  public static let about = "labels and a frozen teacher, soft or hard (DeiT)"

  public enum Form: String, Codable, Sendable {
    /// Cross-entropy with the teacher's most likely class; ties go to the lowest.
    case hard
    /// τ² KL(teacher ‖ student) at temperature τ.
    case soft
  }

  public enum Reduction: String, Codable, Sendable {
    /// Sum over classes, mean over samples: the textbook divergence.
    case batch
    /// Divided by the number of classes as well, as the DeiT code does.
    case classesAndBatch
  }

  public var teacher = Teacher()
  public var form = Form.hard
  /// α: the teacher's share of the loss.
  public var weight = 0.5
  /// τ, of the soft form.
  public var temperature = 1.0
  public var reduction = Reduction.batch
  public var labelSmoothing = 0.1

  public init() {}

  public func validate() throws {
    if teacher.weights.isEmpty {
      throw ConfigurationError(
        "teacher.weights", "is empty", remedy: "Name the safetensors file of the teacher")
    }
    if !(0...1).contains(weight) {
      throw ConfigurationError("weight", "is \(weight)", remedy: "Give a number from 0 to 1")
    }
    if !(temperature > 0) {
      throw ConfigurationError("temperature", "is \(temperature)", remedy: "Give a positive number")
    }
    if !(0..<1).contains(labelSmoothing) {
      throw ConfigurationError(
        "labelSmoothing", "is \(labelSmoothing)", remedy: "Give a number from 0 up to 1")
    }
  }

  public func callAsFunction(_ pass: Pass) throws -> Variable {
    guard let taught = pass.teacherLogits() else {
      preconditionFailure("a distillation run starts with its teacher loaded")
    }
    let cx = pass.context
    let logits = try pass.logits(pass.images)
    let classes = logits.classes.shape[1]
    let targets = pass.batch.targets(classes: classes, smoothing: labelSmoothing, from: cx.pool)
    let base = cx.crossEntropy(
      logits.classes, targets: targets, weight: pass.sampleWeight * Float(1 - weight))
    let student = logits.distilled ?? logits.classes
    let lesson = self.lesson(student, taught, share: pass.sampleWeight * Float(weight), cx)
    return cx.add(base, lesson)
  }

  /// share · Σ over samples of the teacher's term.
  func lesson(_ student: Variable, _ teacher: Tensor, share: Float, _ cx: Context) -> Variable {
    let (batch, classes) = (teacher.shape[0], teacher.shape[1])
    switch form {
    case .hard:
      let targets = Tensor.zeros(teacher.shape, from: cx.pool)
      for row in 0..<batch {
        let scores = UnsafeBufferPointer(start: teacher.pointer + row * classes, count: classes)
        targets.pointer[row * classes + scores.firstIndexOfGreatest] = 1
      }
      return cx.crossEntropy(student, targets: targets, weight: share)
    case .soft:
      let tau = Float(temperature)
      let targets = teacher.copy(from: cx.pool)
      Softmax.forward(targets.pointer, rows: batch, width: classes, factor: 1 / tau)
      let divisor = reduction == .classesAndBatch ? Float(classes) : 1
      let weight = share * tau * tau / divisor
      // KL(q ‖ p) = CE(q, p) - H(q); the entropy of the teacher is a constant.
      let entropy = cx.crossEntropy(
        Variable(teacher.scaled(by: 1 / tau, from: cx.pool)), targets: targets, weight: weight)
      let cross = cx.crossEntropy(cx.scale(student, by: 1 / tau), targets: targets, weight: weight)
      return cx.offset(cross, by: -entropy.tensor.pointer[0])
    }
  }
}

extension Tensor {
  func scaled(by factor: Float, from pool: BufferPool) -> Tensor {
    let result = Tensor(shape, from: pool)
    Elementwise.scale(pointer, by: factor, into: result.pointer, count: count)
    return result
  }
}

extension UnsafeBufferPointer<Float> {
  /// Index of the greatest element, the lowest of equals; 0 if there is only NaN.
  public var firstIndexOfGreatest: Int {
    var best = 0
    for i in indices where self[i] > self[best] || self[best].isNaN { best = i }
    return best
  }
}
