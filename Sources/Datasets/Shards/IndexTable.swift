/// Numbers of a data set's index, never written again: in memory of their own, or in memory that the
/// ranks of a node share.
struct IndexTable<Element: BitwiseCopyable & Sendable>: RandomAccessCollection,
  @unchecked Sendable
{
  private let elements: UnsafeBufferPointer<Element>
  /// Whoever keeps the memory.
  private let owner: AnyObject

  init(_ values: [Element]) {
    let memory = OwnMemory(values)
    (elements, owner) = (UnsafeBufferPointer(memory.elements), memory)
  }

  init(_ elements: UnsafeBufferPointer<Element>, of owner: AnyObject) {
    (self.elements, self.owner) = (elements, owner)
  }

  var startIndex: Int { 0 }
  var endIndex: Int { elements.count }

  subscript(index: Int) -> Element {
    precondition(elements.indices.contains(index), "entry \(index) of \(elements.count)")
    return elements[index]
  }

  func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withExtendedLifetime(owner) { try body(UnsafeRawBufferPointer(elements)) }
  }

  /// Room it takes in an `IndexMemory`.
  var roundedBytes: Int { (count * MemoryLayout<Element>.stride + 7) & ~7 }

  private final class OwnMemory {
    let elements: UnsafeMutableBufferPointer<Element>

    init(_ values: [Element]) {
      elements = .allocate(capacity: values.count)
      _ = elements.initialize(from: values)
    }

    deinit { elements.deallocate() }
  }
}

/// Memory for the index of a data set, which several processes may see: one of them fills it.
public final class IndexMemory {
  private let pointer: UnsafeMutableRawPointer
  private let isFiller: Bool
  private let owner: AnyObject
  private let publish: () throws -> Void
  private var used = 0

  /// - Parameters:
  ///   - owner: keeps the memory, which begins at a multiple of 8.
  ///   - publish: returns when everybody has called it and all that was filled in is there.
  public init(
    at pointer: UnsafeMutableRawPointer, of owner: AnyObject, isFiller: Bool,
    publish: @escaping () throws -> Void
  ) {
    (self.pointer, self.owner, self.isFiller) = (pointer, owner, isFiller)
    self.publish = publish
  }

  /// A table with the same numbers at the next free place.
  func move<Element>(_ table: IndexTable<Element>) -> IndexTable<Element> {
    let place = pointer + used
    used += table.roundedBytes
    if isFiller {
      table.withUnsafeBytes { bytes in
        if let start = bytes.baseAddress { place.copyMemory(from: start, byteCount: bytes.count) }
      }
    }
    let elements = place.bindMemory(to: Element.self, capacity: table.count)
    return IndexTable(UnsafeBufferPointer(start: elements, count: table.count), of: owner)
  }

  func finish() throws { try publish() }
}
