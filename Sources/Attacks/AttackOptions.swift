import Configuration
import Foundation

/// Checks that the options of several attacks share.
enum AttackOptions {
  static func check(_ value: Int, atLeast least: Int, _ key: String, remedy: String) throws {
    guard value < least else { return }
    throw ConfigurationError(key, "is \(value)", remedy: remedy)
  }

  static func check(steps: Int) throws {
    try check(
      steps, atLeast: 1, "steps",
      remedy: "Give a positive integer; for the clean accuracy leave the attack out, for chance "
        + "use the attack noise")
  }

  static func check(decay: Double) throws {
    guard decay.isFinite, decay >= 0 else {
      throw ConfigurationError(
        "decay", "is \(decay)", remedy: "Give a number from 0, usually 1")
    }
  }
}

extension ThreatModel {
  /// What looks like a mistake of units.
  var warnings: [String] {
    norm == .linf && epsilon > 1
      ? [
        "epsilon \(figure(epsilon)) exceeds the whole range of pixels; did you mean "
          + "\(figure(epsilon))/255?"
      ] : []
  }
}

extension Ascent {
  var warnings: [String] {
    var warnings = threat.warnings
    let radius = figure(threat.epsilon)
    if threat.epsilon == 0 { return warnings + ["epsilon is 0: images stay as they are"] }
    if Float(steps) * stepSize < threat.epsilon * (1 - 1e-5), start == .clean {
      warnings.append(
        "\(steps) steps of \(figure(stepSize)) never reach the boundary at epsilon \(radius)")
    }
    if steps > 1, stepSize > threat.epsilon {
      warnings.append("steps of \(figure(stepSize)) are longer than epsilon \(radius)")
    }
    return warnings
  }
}

private func figure(_ value: Float) -> String { String(format: "%.4g", value) }
