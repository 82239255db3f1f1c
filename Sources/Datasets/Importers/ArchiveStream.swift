import Archives
import CArchive

/// A tar or zip archive, or one compressed file, read from its beginning to its end.
final class ArchiveStream {
  let path: String
  private let archive: OpaquePointer

  /// - Parameter isBare: one compressed (or plain) file instead of an archive of files.
  init(_ path: String, isBare: Bool = false) throws {
    self.path = path
    // libarchive's own messages for a missing file are vague.
    let size = try FileSystem.size(path)
    guard let archive = archive_read_new() else { preconditionFailure("libarchive has no memory") }
    self.archive = archive
    archive_read_support_filter_all(archive)
    if isBare {
      archive_read_support_format_raw(archive)
    } else {
      archive_read_support_format_tar(archive)
      archive_read_support_format_zip(archive)
    }
    guard size > 0, archive_read_open_filename(archive, path, 1 << 18) == ARCHIVE_OK else {
      throw size == 0 ? ArchiveError.bad(path, "is empty", remedy: "Copy it again") : failure()
    }
  }

  deinit { archive_read_free(archive) }

  /// Name, bytes and kind of the next entry; nil at the end.
  func next() throws -> (name: String, bytes: Int, isFile: Bool)? {
    var entry: OpaquePointer?
    let status = archive_read_next_header(archive, &entry)
    if status == ARCHIVE_EOF { return nil }
    guard status == ARCHIVE_OK || status == ARCHIVE_WARN, let entry else { throw failure() }
    let name = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry)
    return (
      name.map { String(cString: $0) } ?? "", Int(archive_entry_size(entry)),
      archive_entry_filetype(entry) & 0o170000 == 0o100000
    )
  }

  /// Hands the blocks of the current entry to `use` until it returns false.
  func blocks(_ use: (UnsafeRawBufferPointer) throws -> Bool) throws {
    var isGoingOn = true
    while isGoingOn {
      var start: UnsafeRawPointer?
      var count = 0
      var offset: Int64 = 0
      let status = archive_read_data_block(archive, &start, &count, &offset)
      if status == ARCHIVE_EOF { return }
      guard status == ARCHIVE_OK || status == ARCHIVE_WARN else { throw failure() }
      isGoingOn = try use(UnsafeRawBufferPointer(start: start, count: count))
    }
  }

  /// Whether entries lie in the file as they are.
  var isPlainTar: Bool {
    archive_filter_code(archive, 0) == ARCHIVE_FILTER_NONE
      && archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK == ARCHIVE_FORMAT_TAR
  }

  /// Position in a plain tar of the block that `blocks` just handed over.
  var position: Int { Int(archive_filter_bytes(archive, 0)) }

  private func failure() -> ArchiveError {
    let reason = archive_error_string(archive).map { String(cString: $0) } ?? "no reason is given"
    return .bad(
      path, "cannot be read as an archive (libarchive says: \(reason))",
      remedy: "Check that it is a whole tar, zip or gzip file; copy it again if it was cut short")
  }

  /// The whole content of a file, unpacked if it is compressed.
  static func unpacked(_ path: String, limit: Int = 1 << 34) throws -> [UInt8] {
    let stream = try ArchiveStream(path, isBare: true)
    var bytes: [UInt8] = []
    guard try stream.next() != nil else { return bytes }
    try stream.blocks { block in
      bytes.append(contentsOf: block)
      return bytes.count <= limit
    }
    guard bytes.count <= limit else {
      throw ArchiveError.bad(
        path, "unpacks to more than \(limit) bytes", remedy: "Give a file of images or labels")
    }
    return bytes
  }
}
