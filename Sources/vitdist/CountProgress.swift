import Glibc

/// Progress of work that is counted: a line that renews itself on a terminal, a line every ten
/// seconds elsewhere.
final class CountProgress {
  private let what: String
  private let isTerminal = isatty(2) == 1
  private var last = ContinuousClock.now
  private var isOpen = false

  init(_ what: String) { self.what = what }

  func update(_ done: Int, of total: Int) {
    let now = ContinuousClock.now
    guard now - last > (isTerminal ? .milliseconds(100) : .seconds(10)) else { return }
    last = now
    let text = "\(what): \(done) of \(total) images (\(100 * done / max(total, 1)) %)"
    if isTerminal {
      let line = "\r" + text + "\u{1B}[K"
      write(2, line, line.utf8.count)
      isOpen = true
    } else {
      printError(text)
    }
  }

  /// Clears the line.
  func finish() {
    guard isOpen else { return }
    write(2, "\r\u{1B}[K", 4)
    isOpen = false
  }
}
