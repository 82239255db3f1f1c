import CHDF5
import Glibc

/// The one way into HDF5: every call runs behind one lock, silenced, with its failures turned into
/// `ArchiveError`.
///
/// The library is thread-safe only through a lock of its own around each call; holding ours around
/// groups of calls also keeps an error stack with the call that filled it.
enum HDF5Library {
  private final class Gate: @unchecked Sendable {
    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init() {
      var attributes = pthread_mutexattr_t()
      pthread_mutexattr_init(&attributes)
      // A dataset that is released while the gate is held closes itself through the gate.
      pthread_mutexattr_settype(&attributes, CInt(PTHREAD_MUTEX_RECURSIVE))
      pthread_mutex_init(mutex, &attributes)
      // Locks fail on network file systems, and nothing here writes a file that another reads. The
      // library reads the variable at its first call.
      setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1)
      H5open()
    }
  }

  private static let gate = Gate()

  static func locked<R>(_ body: () throws -> R) rethrows -> R {
    pthread_mutex_lock(gate.mutex)
    defer { pthread_mutex_unlock(gate.mutex) }
    chdf5_silence()
    return try body()
  }

  /// The reason HDF5 gives for the failure just seen.
  static func cause() -> String {
    let capacity = 512
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { text in
      chdf5_cause(text.baseAddress!, capacity)
      let reason = String(cString: text.baseAddress!)
      return reason.isEmpty ? "HDF5 gives no reason" : "HDF5 says: \(reason)"
    }
  }

  /// `value` if it is not negative, which is how HDF5 reports a failure.
  @discardableResult
  static func check<I: SignedInteger>(
    _ value: I, _ kind: ArchiveError.Kind = .badData, path: String,
    _ action: @autoclosure () -> String
  ) throws -> I {
    if value >= 0 { return value }
    throw ArchiveError(
      kind, path: path, "\(action()) (\(cause()))",
      remedy: kind == .badData
        ? "Check the file with h5ls; if it is damaged, copy or make it again"
        : "Check the path, the permissions and the free space")
  }
}

/// A number type that HDF5 converts to and from whatever a file holds.
public protocol HDF5Number: BitwiseCopyable, Sendable {
  static var zero: Self { get }
  static var hdf5Native: Int64 { get }
}

extension UInt8: HDF5Number { public static var hdf5Native: Int64 { chdf5_native_uint8() } }
extension Int8: HDF5Number { public static var hdf5Native: Int64 { chdf5_native_int8() } }
extension UInt16: HDF5Number { public static var hdf5Native: Int64 { chdf5_native_uint16() } }
extension Int16: HDF5Number { public static var hdf5Native: Int64 { chdf5_native_int16() } }
extension UInt32: HDF5Number { public static var hdf5Native: Int64 { chdf5_native_uint32() } }
extension Int32: HDF5Number { public static var hdf5Native: Int64 { chdf5_native_int32() } }
extension UInt64: HDF5Number { public static var hdf5Native: Int64 { chdf5_native_uint64() } }
extension Int64: HDF5Number { public static var hdf5Native: Int64 { chdf5_native_int64() } }
extension Float: HDF5Number { public static var hdf5Native: Int64 { chdf5_native_float() } }
extension Double: HDF5Number { public static var hdf5Native: Int64 { chdf5_native_double() } }

extension [Int] {
  /// Product, or nil where it does not fit: sizes from a file are not to be trusted.
  package var checkedProduct: Int? {
    var product = 1
    for factor in self {
      let (next, overflow) = product.multipliedReportingOverflow(by: factor)
      if overflow || factor < 0 { return nil }
      product = next
    }
    return product
  }
}
