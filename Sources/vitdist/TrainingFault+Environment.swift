import Collectives
import Training

extension TrainingFault {
  /// The fault that `VITDIST_TRAINING_FAULT` asks for, in tests; nil otherwise.
  static func fromEnvironment() throws -> TrainingFault? {
    let text = Launch.environment(variable) ?? ""
    return text.isEmpty ? nil : try TrainingFault(text)
  }
}
