import Tensors

/// Where each named parameter lies in the slab that holds all of them.
///
/// The slab is one allocation of `Float`; optimizer moments, gradients and averages are slabs of the
/// same layout. Parameters start at multiples of 16 elements (64 bytes), the gaps are zero, and the
/// slab ends at a multiple of `blockSize`, the unit in which ranks own it.
public struct ParameterLayout: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    public let name: String
    public let shape: Shape
    public let role: ParameterRole
    /// First element in the slab.
    public let offset: Int
    public var range: Range<Int> { offset..<offset + shape.count }
  }

  /// Norms are summed in blocks of this many elements, and a rank owns whole blocks, so that no sum
  /// depends on the number of ranks.
  public static let blockSize = 4096

  public private(set) var entries: [Entry] = []
  private var end = 0

  public init() {}

  /// Elements of the slab, gaps included.
  public var count: Int { (end + Self.blockSize - 1) / Self.blockSize * Self.blockSize }

  /// Elements of all weights, gaps excluded: the model's published parameter count.
  public var parameterCount: Int {
    entries.reduce(0) { $0 + ($1.role == .weight ? $1.shape.count : 0) }
  }

  /// The entries that belong to the model, not to what is trained against it.
  public var modelEntries: [Entry] { entries.filter { $0.role != .adversary } }

  @discardableResult
  public mutating func append(
    _ name: String, _ shape: Shape, role: ParameterRole = .weight
  ) -> Entry {
    precondition(!entries.contains { $0.name == name }, "parameter \(name) declared twice")
    let entry = Entry(name: name, shape: shape, role: role, offset: end)
    entries.append(entry)
    end += (shape.count + 15) / 16 * 16
    return entry
  }

  public subscript(name: String) -> Entry? { entries.first { $0.name == name } }
}
