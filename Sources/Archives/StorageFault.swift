import Glibc
import Synchronization

/// A failure of storage that happens once, at a site of one's choice: for tests, never by itself.
///
/// Sites are counted from 0 in the order in which a process passes them: two for each operation of a
/// `Storage`, one before and one after. The same work passes the same sites every time.
public final class StorageFault: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    /// The process dies (SIGKILL).
    case kill
    /// The disk is full. A write puts half of its bytes before it says so.
    case enospc
    /// The device fails. At a site after an operation it has been done all the same.
    case eio
    /// A write takes half of its bytes and says so, which is no error. Other operations go well.
    case short
  }

  /// What is thrown instead of dying, and by every operation from then on, if the death is feigned.
  package struct FeignedDeath: Error {}

  public let kind: Kind
  public let site: Int
  private let feignsDeath: Bool
  private let passed = Atomic<Int>(0)

  public convenience init(_ kind: Kind, site: Int) {
    self.init(kind, site: site, feignsDeath: false)
  }

  /// - Parameter feignsDeath: throw `FeignedDeath` where the process would die, so that threads of
  ///   one process can play its ranks.
  package init(_ kind: Kind, site: Int, feignsDeath: Bool) {
    self.kind = kind
    self.site = site
    self.feignsDeath = feignsDeath
  }

  /// Sites passed so far.
  package var sitesPassed: Int { passed.load(ordering: .relaxed) }

  /// Passes a site. Throws what strikes there; returns false for a write that is to be short.
  func pass(_ action: String, _ path: String, partly: () -> Void = {}) throws -> Bool {
    let number = passed.add(1, ordering: .relaxed).oldValue
    if kind == .kill, feignsDeath, number >= site { throw FeignedDeath() }
    guard number == site else { return true }
    switch kind {
    case .kill:
      Glibc.kill(getpid(), SIGKILL)
      while true { pause() }
    case .enospc:
      partly()
      throw ArchiveError.system(action, path: path, code: ENOSPC)
    case .eio: throw ArchiveError.system(action, path: path, code: EIO)
    case .short: return false
    }
  }
}
