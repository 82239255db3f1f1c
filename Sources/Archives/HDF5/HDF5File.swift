import CHDF5
import Glibc

/// An HDF5 file. Any thread may use it; it closes when it is released, or by `close`, which reports
/// failures of the last writes.
public final class HDF5File: @unchecked Sendable {
  public let path: String
  /// Bytes when opened for reading; 0 for a new file.
  public let size: Int
  let id: hid_t
  private var isOpen = true
  private var hasSoundHeaps = false

  /// Opens an existing file for reading.
  public convenience init(reading path: String) throws {
    try self.init(opening: path, flags: chdf5_read_only())
  }

  /// Opens an existing file for reading and writing.
  public convenience init(updating path: String) throws {
    try self.init(opening: path, flags: chdf5_read_write())
  }

  /// Which programs can read a new file.
  public enum Format: Sendable {
    /// The oldest format that holds the contents.
    case earliest
    /// HDF5 1.10 (2016) and later: headers carry checksums, and chunks that are allocated early
    /// need no index.
    case since1_10
  }

  /// Creates a file, in place of one that may be there.
  public init(creating path: String, format: Format = .earliest) throws {
    self.path = path
    size = 0
    id = try HDF5Library.locked {
      let access = H5Pcreate(chdf5_class_file_access())
      defer { H5Pclose(access) }
      if format == .since1_10 {
        H5Pset_libver_bounds(access, chdf5_format_1_10(), chdf5_format_1_10())
      }
      let creation = H5Pcreate(chdf5_class_file_create())
      defer { H5Pclose(creation) }
      // A file is a function of its content, not of the time it was written.
      H5Pset_obj_track_times(creation, false)
      return try HDF5Library.check(
        H5Fcreate(path, chdf5_truncate(), creation, access), .inputOutput, path: path,
        "cannot be created")
    }
  }

  private init(opening path: String, flags: UInt32) throws {
    self.path = path
    let size = try FileSystem.size(path)
    self.size = size
    guard !FileSystem.isFolder(path) else {
      throw ArchiveError.system("cannot be opened", path: path, code: EISDIR)
    }
    guard access(path, R_OK) == 0 else {
      throw ArchiveError.system("cannot be opened for reading", path: path)
    }
    id = try HDF5Library.locked {
      guard H5Fis_hdf5(path) > 0 else {
        throw ArchiveError.bad(
          path, size == 0 ? "is empty" : "is not an HDF5 file or its beginning is damaged",
          remedy: "Give an HDF5 file, or copy or make it again")
      }
      return try HDF5Library.check(
        H5Fopen(path, flags, chdf5_default()), path: path,
        "cannot be opened as HDF5; it may have been cut short")
    }
  }

  deinit { try? close() }

  /// Writes what is pending and closes. Datasets that are still held stay readable.
  public func close() throws {
    try HDF5Library.locked {
      guard isOpen else { return }
      isOpen = false
      let flushed = H5Fflush(id, H5F_SCOPE_LOCAL)
      let closed = H5Fclose(id)
      try HDF5Library.check(
        min(flushed, closed), .inputOutput, path: path, "cannot be written to its end")
    }
  }

  /// Whether a dataset or group of that name exists; `name` may be a path of groups.
  public func contains(_ name: String) -> Bool {
    HDF5Library.locked {
      var prefix = ""
      for part in name.split(separator: "/") {
        prefix += "/" + part
        guard H5Lexists(id, prefix, chdf5_default()) > 0 else { return false }
      }
      return H5Oexists_by_name(id, prefix.isEmpty ? "/" : prefix, chdf5_default()) > 0
    }
  }

  /// Names in a group, in alphabetical order.
  public func names(in group: String = "/") throws -> [String] {
    try HDF5Library.locked {
      let opened = try HDF5Library.check(
        H5Gopen2(id, group, chdf5_default()), path: path, "group \(group) cannot be opened")
      defer { H5Gclose(opened) }
      var info = H5G_info_t()
      try HDF5Library.check(
        H5Gget_info(opened, &info), path: path, "group \(group) cannot be examined")
      return try (0..<min(info.nlinks, 1 << 20)).map { index in
        var name = [CChar](repeating: 0, count: 1024)
        try HDF5Library.check(
          chdf5_name(opened, index, &name, name.count), path: path,
          "group \(group) cannot be listed")
        return String(cString: name)
      }
    }
  }

  /// Whether the name is a dataset (and not a group).
  public func isDataset(_ name: String) -> Bool {
    guard contains(name) else { return false }
    return HDF5Library.locked {
      let object = H5Oopen(id, name, chdf5_default())
      guard object >= 0 else { return false }
      defer { H5Oclose(object) }
      return H5Iget_type(object) == H5I_DATASET
    }
  }

  /// Throws if heaps of a file opened for reading are damaged; looks only once.
  func checkHeaps() throws {
    try HDF5Library.locked {
      guard size > 0, !hasSoundHeaps else { return }
      try HDF5HeapCheck.run(path)
      hasSoundHeaps = true
    }
  }

  /// Opens a dataset.
  public func dataset(_ name: String) throws -> HDF5Dataset { try HDF5Dataset(name, of: self) }

  /// Attributes of the file's root.
  public var attributes: HDF5Attributes { HDF5Attributes(of: self, in: self, id: id, label: path) }
}
