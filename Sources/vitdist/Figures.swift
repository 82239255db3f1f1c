import Foundation

/// How numbers are shown to people. Machine output (`--json`) has them in full.

/// `93.27 %`
func percent(_ part: Double) -> String { String(format: "%.2f %%", 100 * part) }

/// Four significant digits at most, all those before the point: `0.06817`, `1.5`, `1982`.
func figure(_ value: Double) -> String {
  abs(value) >= 1000 ? String(format: "%.0f", value) : String(format: "%.4g", value)
}

/// `0.085 s`, `12.3 s`, `4 min 37 s`
func duration(_ seconds: Double) -> String {
  if seconds < 1 { return String(format: "%.2g s", seconds) }
  if seconds < 60 { return String(format: "%.1f s", seconds) }
  let whole = Int(seconds.rounded())
  if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
  return "\(whole / 3600) h \(whole % 3600 / 60) min"
}

/// `0.4 MiB`, `29 MiB`
func mebibytes(_ bytes: Int) -> String {
  let size = Double(bytes) / 1_048_576
  return String(format: size < 10 ? "%.1f MiB" : "%.0f MiB", size)
}

/// `1 rank`, `2 ranks`
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
