import Configuration
import Foundation

/// When the machine is taken away.
public struct Deadline: Sendable, Equatable {
  /// Seconds since 1970; infinite if nobody says.
  public let time: Double

  public static let none = Deadline(time: .infinity)

  public init(time: Double) { self.time = time }

  /// Seconds since 1970.
  public static var now: Double { Date().timeIntervalSince1970 }

  /// - Parameters:
  ///   - text: seconds since 1970, a time from `now` on such as `90m`, `1h30m` or `45s`, or nothing.
  ///   - endOfJob: what the batch system says (`SLURM_JOB_END_TIME`, seconds since 1970); counts if
  ///     `text` is empty.
  /// - Throws: `ConfigurationError` for `--deadline`.
  public init(_ text: String, endOfJob: String? = nil, now: Double = Deadline.now) throws {
    if text.isEmpty {
      // A batch system's word in a form of its own must not keep a job from running.
      let end = endOfJob.flatMap { Double($0) } ?? 0
      time = end > 1e9 ? end : .infinity
    } else if let seconds = Self.duration(text) {
      time = now + seconds
    } else if let seconds = Double(text), seconds.isFinite, seconds > 1e9 {
      time = seconds
    } else {
      throw ConfigurationError(
        "--deadline", "\"\(text)\" is not a time",
        remedy: "Give a time from now such as 90m or 11h30m, or seconds since 1970")
    }
  }

  /// `1h30m`, `90m`, `45s`; nil for what is not of this form.
  private static func duration(_ text: String) -> Double? {
    let units: [Character: Double] = ["d": 86400, "h": 3600, "m": 60, "s": 1]
    var total = 0.0
    var digits = ""
    for character in text {
      if character.isASCII, character.isNumber || character == "." {
        digits.append(character)
      } else {
        guard let unit = units[character], let number = Double(digits) else { return nil }
        total += number * unit
        digits = ""
      }
    }
    return digits.isEmpty && !text.isEmpty ? total : nil
  }
}

/// What rank 0 knows of the time that steps, evaluations and saves take, on the safe side.
struct TimeNeeds {
  /// The longest of late: one long step counts for some dozens of steps.
  private(set) var step = 0.0
  private(set) var evaluation = 0.0
  private(set) var save: Double

  /// - Parameter bytes: of a checkpoint; counts until one has been saved, at a rate that any disk
  ///   reaches.
  init(bytes: Int) { save = 2 + Double(bytes) / 100e6 }

  mutating func recordStep(_ seconds: Double) { step = max(seconds, step * 0.97) }
  mutating func recordEvaluation(_ seconds: Double) { evaluation = max(seconds, evaluation * 0.9) }

  private var hasSaved = false
  mutating func recordSave(_ seconds: Double) {
    let safe = 1 + 1.5 * seconds
    save = hasSaved ? max(safe, save * 0.9) : safe
    hasSaved = true
  }
}
