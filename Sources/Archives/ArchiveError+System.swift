import Glibc

extension ArchiveError {
  /// A refusal of the system: `action` is what was tried, e.g. "cannot open for reading".
  public static func system(
    _ action: String, path: String, code: Int32 = errno
  ) -> ArchiveError {
    let reason = String(cString: strerror(code))
    return ArchiveError(.inputOutput, path: path, "\(action): \(reason)", remedy: remedy(for: code))
  }

  private static func remedy(for code: Int32) -> String {
    switch code {
    case ENOENT: "Check the path"
    case EACCES, EPERM, EROFS: "Check the permissions, or choose another folder"
    case ENOSPC, EDQUOT: "Free some space or choose a folder on another file system"
    case EMFILE, ENFILE: "Raise the limit of open files (ulimit -n)"
    case EIO, ESTALE: "Check the file system; the operation may succeed if repeated"
    case ENOTDIR, EISDIR: "Give a file where a file is wanted, a folder where a folder is"
    default: "Check the file system and repeat"
    }
  }

  /// Content that cannot be trusted.
  public static func bad(_ path: String, _ problem: String, remedy: String) -> ArchiveError {
    ArchiveError(.badData, path: path, problem, remedy: remedy)
  }
}
