/// What an unquoted YAML word means, by the core schema of YAML 1.2.
///
/// `1e-3`, `1.e-3` and `.5` are numbers; `yes` and `no` are strings; an integer that does not fit
/// becomes a number, which then no integer option accepts.
func plainScalar(_ text: String) -> ValueTree.Content {
  switch text {
  case "", "~", "null", "Null", "NULL": return .null
  case "true", "True", "TRUE": return .bool(true)
  case "false", "False", "FALSE": return .bool(false)
  case ".inf", ".Inf", ".INF", "+.inf": return .number(.infinity)
  case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
  case ".nan", ".NaN", ".NAN": return .number(.nan)
  default: break
  }
  if text.hasPrefix("0x"), let value = Int(text.dropFirst(2), radix: 16) { return .integer(value) }
  if text.hasPrefix("0o"), let value = Int(text.dropFirst(2), radix: 8) { return .integer(value) }
  // Double would also read `nan`, `infinity` and hexadecimal fractions.
  let isNumeric = text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
  guard isNumeric, text.utf8.contains(where: { 48...57 ~= $0 }) else { return .string(text) }
  if let value = Int(text) { return .integer(value) }
  if let value = Double(text), value.isFinite { return .number(value) }
  return .string(text)
}
