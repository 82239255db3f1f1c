import Glibc

/// What the operating system says of this process and this computer.
public enum Machine {
  private static var usage: rusage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage
  }

  /// Largest resident set of this process so far.
  public static var peakResidentBytes: Int { usage.ru_maxrss * 1024 }

  /// What this process has in memory now.
  public struct Resident: Sendable, Equatable {
    /// Its own.
    public var anonymous = 0
    /// Pages of files: the program and its libraries.
    public var files = 0
    /// Memory shared with other processes.
    public var shared = 0
  }

  public static var resident: Resident {
    func bytes(_ key: String) -> Int {
      let value = entry(key, of: "/proc/self/status").split(separator: " ").first
      return (value.flatMap { Int($0) } ?? 0) * 1024
    }
    return Resident(
      anonymous: bytes("RssAnon"), files: bytes("RssFile"), shared: bytes("RssShmem"))
  }

  /// Processor time of this process, user and system, all threads.
  public static var processorSeconds: Double {
    let usage = usage
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  /// Cores this process may run on: as `0-3,8` in its status file.
  public static var usableCores: Int {
    let list = entry("Cpus_allowed_list", of: "/proc/self/status")
    return list.split(separator: ",").reduce(0) { total, part in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last else { return total }
      return total + last - first + 1
    }
  }

  /// Cores of this computer.
  public static var cores: Int { Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// An entry of /proc/cpuinfo, e.g. `model name`.
  public static func processor(_ key: String) -> String { entry(key, of: "/proc/cpuinfo") }

  /// The value on the first line `key: value` of a file of the kernel's.
  private static func entry(_ key: String, of path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) > 0 {
      guard let line else { break }
      let text = String(cString: line)
      guard text.hasPrefix(key), let colon = text.firstIndex(of: ":") else { continue }
      return String(text[text.index(after: colon)...].drop { " \t".contains($0) }.dropLast())
    }
    return ""
  }
}
