import Glibc

/// A file open for reading at any position, from any number of threads.
public final class FileReader: Sendable {
  public let path: String
  /// Bytes when it was opened.
  public let size: Int
  private let descriptor: Int32

  public convenience init(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw ArchiveError.system("cannot be opened for reading", path: path)
    }
    try self.init(adopting: descriptor, path: path)
  }

  /// Takes over an open descriptor; `path` is for messages.
  public init(adopting descriptor: Int32, path: String) throws {
    self.path = path
    self.descriptor = descriptor
    var info = stat()
    let known = fstat(descriptor, &info) == 0
    size = Int(info.st_size)
    guard known else { throw ArchiveError.system("cannot be examined", path: path) }
    guard info.st_mode & S_IFMT != S_IFDIR else {
      throw ArchiveError.system("cannot be read", path: path, code: EISDIR)
    }
  }

  deinit { close(descriptor) }

  /// Fills `buffer` with the bytes from `offset` on.
  public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    var done = 0
    while done < buffer.count {
      let got = pread(
        descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw ArchiveError.system("cannot be read", path: path) }
      guard got > 0 else {
        throw ArchiveError.bad(
          path,
          "ends at byte \(offset + done), but \(buffer.count) bytes from \(offset) are needed",
          remedy: "The file was cut short: copy or make it again")
      }
      done += got
    }
  }

  /// The bytes in a range of the file.
  public func bytes(at offset: Int, count: Int) throws -> [UInt8] {
    guard offset >= 0, count >= 0, count <= size, offset <= size - count else {
      throw ArchiveError.bad(
        path, "\(count) bytes from \(offset) are needed, but the file has \(size)",
        remedy: "The file was cut short: copy or make it again")
    }
    var failure: (any Error)?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      do {
        let target = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count)
        try read(at: offset, into: target)
        filled = count
      } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }
}
