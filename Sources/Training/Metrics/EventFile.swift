import Archives
import Foundation

/// A TensorBoard event file of scalars: TFRecord frames around `tensorflow.Event` messages.
///
/// A resumed run makes a new file in the same folder, which tells TensorBoard to forget what the
/// earlier ones have beyond the step it goes on from.
public final class EventFile {
  private let path: String
  private let descriptor: Int32

  /// - Parameters:
  ///   - folder: must exist.
  ///   - step: steps done in the checkpoint that the run goes on from; 0 for a new run.
  ///   - time: seconds since 1970; part of the name, by which TensorBoard orders files.
  /// - Throws: `ArchiveError` of kind `inputOutput`.
  public init(
    folder: String, resumingAfter step: Int = 0, time: Double = Date().timeIntervalSince1970
  ) throws {
    let host = ProcessInfo.processInfo.hostName
    path = "\(folder)/events.out.tfevents.\(Int(time)).\(host).\(getpid())"
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw systemError("open", path) }
    try append(EventMessage.version(time: time))
    if step > 0 { try append(EventMessage.restart(at: step + 1, time: time)) }
  }

  deinit { close(descriptor) }

  /// Appends the values of one step, e.g. `("train/loss", 2.3)`.
  public func write(
    step: Int, _ scalars: [(tag: String, value: Float)],
    time: Double = Date().timeIntervalSince1970
  ) throws {
    try append(EventMessage.scalars(scalars, step: step, time: time))
  }

  private func append(_ message: [UInt8]) throws {
    try writeAll(RecordFrame.around(message), to: descriptor, path: path)
  }
}

/// TFRecord framing: length (8 bytes), its checksum (4), the message, its checksum (4), all
/// little-endian; checksums are CRC32C, rotated and shifted so that a CRC of CRCs stays sound.
package enum RecordFrame {
  package static func around(_ message: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(message.count))
    return length + littleEndian(masked(length)) + message + littleEndian(masked(message))
  }

  package static func masked(_ bytes: [UInt8]) -> UInt32 {
    let crc = bytes.withUnsafeBytes { CRC32C.of($0) }
    return ((crc >> 15) | (crc << 17)) &+ 0xa282_ead8
  }
}

/// The kinds of `tensorflow.Event` that scalars need, in protocol-buffer encoding: field number
/// and wire type in a tag byte, then the value.
enum EventMessage {
  /// `wall_time` = 1, `file_version` = 3: the first message of every file.
  static func version(time: Double) -> [UInt8] {
    wallTime(time) + text(field: 3, Array("brain.Event:2".utf8))
  }

  /// `wall_time` = 1, `step` = 2, `session_log` = 7 with `status` = 1 START = 1: events of earlier
  /// files at this step and after it are void.
  static func restart(at step: Int, time: Double) -> [UInt8] {
    wallTime(time) + [2 << 3] + variable(UInt64(step)) + text(field: 7, [1 << 3, 1])
  }

  /// `wall_time` = 1, `step` = 2, `summary` = 5 with a `value` = 1 of `tag` = 1, `simple_value` = 2
  /// for each scalar.
  static func scalars(_ scalars: [(tag: String, value: Float)], step: Int, time: Double)
    -> [UInt8]
  {
    let values = scalars.flatMap { tag, value in
      text(
        field: 1, text(field: 1, Array(tag.utf8)) + [2 << 3 | 5] + littleEndian(value.bitPattern))
    }
    return wallTime(time) + [2 << 3] + variable(UInt64(step)) + text(field: 5, values)
  }

  private static func wallTime(_ time: Double) -> [UInt8] {
    [1 << 3 | 1] + littleEndian(time.bitPattern)
  }

  private static func text(field: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    [field << 3 | 2] + variable(UInt64(bytes.count)) + bytes
  }

  /// Seven bits a byte, lowest first, the high bit set on all but the last.
  private static func variable(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}

private func littleEndian<I: FixedWidthInteger>(_ value: I) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
