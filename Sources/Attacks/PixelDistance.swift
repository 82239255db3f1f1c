import Configuration
import Foundation

/// A distance between images whose pixels lie in 0...1: a number such as `0.03`, a fraction such as
/// `8/255`, or `auto`, for which the attack has a rule. It is written back as it was given.
public struct PixelDistance: Sendable, Equatable {
  private enum Spelling: Sendable, Equatable {
    case number(Double)
    case text(String)
  }

  private let spelling: Spelling
  /// NaN for `auto`, and for a text that is no distance, which `check` refuses.
  public let value: Double

  public init(_ value: Double) {
    spelling = .number(value)
    self.value = value
  }

  public init(_ text: String) {
    spelling = .text(text)
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Double($0) }
    switch (parts.count, parts.first ?? nil, parts.last ?? nil) {
    case (1, let number?, _): value = number
    case (2, let above?, let below?): value = above / below
    default: value = .nan
    }
  }

  public static let automatic = PixelDistance("auto")
  public var isAutomatic: Bool { self == .automatic }

  /// Spelled alike; the value of `auto` equals nothing.
  public static func == (a: PixelDistance, b: PixelDistance) -> Bool { a.spelling == b.spelling }

  /// A schedule's part of this distance; `auto` stays what it is.
  public func scaled(by factor: Double) -> PixelDistance {
    isAutomatic || factor == 1 ? self : PixelDistance(value * factor)
  }

  /// This as the step of an attack of so many steps.
  func step(for threat: ThreatModel, steps: Int) -> Float {
    isAutomatic ? threat.automaticStep(steps: steps) : Float(value)
  }

  /// Refuses what is no distance, below zero or, unless `allowsZero`, zero.
  func check(_ key: String, allowsZero: Bool) throws {
    if isAutomatic { return }
    guard value.isFinite, value > 0 || (allowsZero && value == 0) else {
      let spelled = if case .text(let text) = spelling { "\"\(text)\"" } else { "\(value)" }
      throw ConfigurationError(
        key, "\(spelled) is not a \(allowsZero ? "" : "positive ")distance between images",
        remedy: "Give a number such as 0.03, or a fraction such as 8/255")
    }
  }
}

extension PixelDistance: ExpressibleByStringLiteral, ExpressibleByFloatLiteral {
  public init(stringLiteral text: String) { self.init(text) }
  public init(floatLiteral value: Double) { self.init(value) }
}

extension PixelDistance: CustomStringConvertible {
  /// Both spellings: `8/255 (0.03137)`, `0.0314 (8.007/255)`.
  public var description: String {
    switch spelling {
    case .text(let text):
      value.isNaN || !text.contains("/") ? text : text + String(format: " (%.4g)", value)
    case .number(let value): String(format: "%.4g (%.4g/255)", value, value * 255)
    }
  }
}

extension PixelDistance: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Double.self) {
      self.init(value)
    } else {
      self.init(try container.decode(String.self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch spelling {
    case .number(let value): try container.encode(value)
    case .text(let text): try container.encode(text)
    }
  }
}
