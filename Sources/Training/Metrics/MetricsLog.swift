import Archives
import Configuration
import Foundation

/// `metrics.jsonl`: one JSON object a line, in order of steps, each line on disk's doorstep when
/// `write` returns. Only rank 0 keeps one.
///
/// Numbers are written in the shortest spelling that reads back to the same bits; infinities and
/// NaN, which JSON lacks, become null (their bits are in `lossBits`).
public final class MetricsLog {
  private let path: String
  private let descriptor: Int32
  /// The losses of the last steps that were kept, in order.
  let losses: [Double]

  /// Opens or makes the file and drops what a resumed run will write again: everything from the
  /// first line that is beyond `step` or was cut short.
  /// - Parameter step: steps done in the checkpoint that the run goes on from; 0 for a new run.
  /// - Throws: `ArchiveError` of kind `inputOutput`.
  public init(path: String, resumingAfter step: Int = 0) throws {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw systemError("open", path) }
    let text = FileManager.default.contents(atPath: path) ?? Data()
    let (bytes, losses) = Self.kept(text, through: step)
    self.losses = losses.suffix(10_000)
    guard ftruncate(descriptor, off_t(bytes)) == 0 else {
      throw systemError("shorten", path)
    }
  }

  deinit { close(descriptor) }

  /// Appends one object with `step` in front.
  /// - Parameter step: steps done, counted from 1 after the first.
  public func write(step: Int, _ fields: ValueTree.Mapping) throws {
    var line = ValueTree.Mapping()
    line["step"] = ValueTree(.integer(step))
    for (key, value) in fields.entries { line[key] = value }
    try writeAll(Array((ValueTree(.mapping(line)).json + "\n").utf8), to: descriptor, path: path)
  }

  /// Bytes of the leading lines that are whole and not beyond `step`, and the losses in them.
  private static func kept(_ text: Data, through step: Int) -> (bytes: Int, losses: [Double]) {
    var end = text.startIndex
    var losses: [Double] = []
    while let newline = text[end...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = try? ValueTree(json: text[end..<newline], name: "")
      guard case .integer(let number)? = line?[path: "step"]?.content, number <= step else { break }
      if case .number(let loss)? = line?[path: "loss"]?.content { losses.append(loss) }
      end = newline + 1
    }
    return (end - text.startIndex, losses)
  }
}

/// The bits of a number, `0x3f800000`: how two runs are compared exactly.
public func hexadecimalBits(_ value: Float) -> String {
  hexadecimal(UInt64(value.bitPattern), digits: 8)
}

/// The bits of a number, `0x3ff0000000000000`.
public func hexadecimalBits(_ value: Double) -> String {
  hexadecimal(value.bitPattern, digits: 16)
}

private func hexadecimal(_ bits: UInt64, digits: Int) -> String {
  let text = String(bits, radix: 16)
  return "0x" + String(repeating: "0", count: digits - text.count) + text
}

func systemError(_ verb: String, _ path: String) -> ArchiveError {
  ArchiveError(
    .inputOutput, path: path, "cannot \(verb) the file: \(String(cString: strerror(errno)))",
    remedy: "Check the folder, its permissions and the space on the disk")
}

/// All bytes, however many calls it takes.
func writeAll(_ bytes: [UInt8], to descriptor: Int32, path: String) throws {
  try bytes.withUnsafeBytes { buffer in
    var done = 0
    while done < buffer.count {
      let written = write(descriptor, buffer.baseAddress! + done, buffer.count - done)
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw systemError("write", path) }
      done += written
    }
  }
}
