import Foundation

/// Where a run stands.
public struct Progress: Sendable {
  /// Steps done and steps in all.
  public var step: Int
  public var totalSteps: Int
  /// Epochs done, fractions counting, and epochs in all.
  public var epoch: Double
  public var epochs: Double
  public var loss: Double
  public var learningRate: Double
  /// Of all ranks together.
  public var imagesPerSecond: Double

  public init(
    step: Int, totalSteps: Int, epoch: Double, epochs: Double, loss: Double, learningRate: Double,
    imagesPerSecond: Double
  ) {
    self.step = step
    self.totalSteps = totalSteps
    self.epoch = epoch
    self.epochs = epochs
    self.loss = loss
    self.learningRate = learningRate
    self.imagesPerSecond = imagesPerSecond
  }

  /// One line without the bar.
  /// - Parameter remaining: seconds to the end; negative if not known.
  package func text(remaining: Double) -> String {
    String(
      format: "step %d/%d  epoch %.2f/%.\(epochs == epochs.rounded() ? 0 : 2)f  loss %.4f  "
        + "lr %.2e  %.0f img/s  ETA %@",
      step, totalSteps, epoch, epochs, loss, learningRate, imagesPerSecond, Self.clock(remaining))
  }

  /// `1:02:03`, `2d 03:04:05`, or `--:--` for what is not known.
  package static func clock(_ seconds: Double) -> String {
    guard seconds >= 0, seconds < 1e9 else { return "--:--" }
    let whole = Int(seconds.rounded(.up))
    let (hours, minutes) = (whole / 3600, whole / 60 % 60)
    if hours >= 24 {
      return String(
        format: "%dd %02d:%02d:%02d", hours / 24, hours % 24, minutes, whole % 60)
    }
    if hours > 0 { return String(format: "%d:%02d:%02d", hours, minutes, whole % 60) }
    return String(format: "%02d:%02d", minutes, whole % 60)
  }
}

/// Shows progress: one line that renews itself on a terminal, a line now and then elsewhere.
public struct ProgressBar {
  private let isTerminal: Bool
  private let columns: Int
  private let interval: Double
  private let write: (String) -> Void
  private var first: (step: Int, time: Double)?
  private var lastShown = -Double.infinity
  private var isLineOpen = false

  /// - Parameters:
  ///   - columns: width of the terminal.
  ///   - secondsBetweenLines: cadence where the output is not a terminal; a bar renews itself ten
  ///     times a second.
  ///   - write: takes the text, line ends included; standard error unless given.
  public init(
    isTerminal: Bool = isatty(2) == 1, columns: Int = ProgressBar.terminalColumns,
    secondsBetweenLines: Double = 15,
    write: @escaping (String) -> Void = { FileHandle.standardError.write(Data($0.utf8)) }
  ) {
    self.isTerminal = isTerminal
    self.columns = columns
    interval = isTerminal ? 0.1 : secondsBetweenLines
    self.write = write
  }

  /// Width of the terminal on standard error; 80 where it is none.
  public static var terminalColumns: Int {
    var size = winsize()
    return ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// Shows the state if it is time to; the last step is always shown.
  /// - Parameter time: seconds of a clock that never jumps.
  public mutating func update(_ progress: Progress, at time: Double? = nil) {
    let now = time ?? Stopwatch.now
    let start = first ?? (progress.step, now)
    first = start
    guard now - lastShown >= interval || progress.step >= progress.totalSteps else { return }
    lastShown = now
    let pace = Double(progress.step - start.step) / (now - start.time)
    let remaining = pace > 0 ? Double(progress.totalSteps - progress.step) / pace : -1
    let text = progress.text(remaining: remaining)
    write(isTerminal ? "\r" + barred(text, progress) + "\u{1B}[K" : text + "\n")
    isLineOpen = isTerminal
  }

  /// Writes a line of its own, above the bar.
  public mutating func note(_ text: String) {
    write((isLineOpen ? "\r\u{1B}[K" : "") + text + "\n")
    isLineOpen = false
    lastShown = -.infinity
  }

  /// Leaves the last state on the screen.
  public mutating func finish() {
    if isLineOpen { write("\n") }
    isLineOpen = false
  }

  /// The text behind a bar that takes what room is left; the text alone, cut, where there is none.
  private func barred(_ text: String, _ progress: Progress) -> String {
    let cells = min(30, columns - text.count - 4)
    guard cells >= 5 else { return String(text.prefix(max(0, columns - 1))) }
    let part = Double(progress.step) / Double(max(1, progress.totalSteps))
    let full = min(cells, max(0, Int(part * Double(cells))))
    return "[" + String(repeating: "#", count: full)
      + String(repeating: ".", count: cells - full) + "] " + text
  }
}
