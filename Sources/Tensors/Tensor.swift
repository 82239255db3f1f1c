/// Dense row-major `Float` data of one shape: a view of `shape.count` elements of a buffer.
///
/// Copying a tensor copies the reference, not the data. Whoever makes a tensor fills it; after it
/// has been handed on it is read only. There are no strides and no other element types.
public struct Tensor: Sendable {
  public let shape: Shape
  public let buffer: Buffer
  private let offset: Int

  /// A tensor of undefined contents.
  public init(_ shape: Shape, from pool: BufferPool) {
    self.init(shape, over: pool.take(shape.count))
  }

  public init(_ shape: Shape, over buffer: Buffer, offset: Int = 0) {
    self.shape = shape
    self.buffer = buffer
    self.offset = offset
  }

  /// A tensor of the given elements, which must be as many as the shape has.
  public init(_ shape: Shape, _ elements: some Collection<Float>, from pool: BufferPool) {
    precondition(elements.count == shape.count, "\(elements.count) elements for shape \(shape)")
    self.init(shape, from: pool)
    let pointer = pointer
    let isDone: Void? = elements.withContiguousStorageIfAvailable {
      if let first = $0.baseAddress { pointer.update(from: first, count: $0.count) }
    }
    if isDone == nil { _ = self.elements.update(fromContentsOf: elements) }
  }

  public static func zeros(_ shape: Shape, from pool: BufferPool) -> Tensor {
    let result = Tensor(shape, from: pool)
    result.pointer.update(repeating: 0, count: shape.count)
    return result
  }

  public var count: Int { shape.count }

  /// First element. Valid while the tensor, or another over the same buffer, is alive.
  public var pointer: UnsafeMutablePointer<Float> { buffer.pointer + offset }

  public var elements: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: pointer, count: count)
  }

  public var array: [Float] { Array(elements) }

  /// The same data under another shape of equal count.
  public func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.count == count, "cannot see \(self.shape) as \(shape)")
    return Tensor(shape, over: buffer, offset: offset)
  }

  /// Entries `range` of the outermost axis, without a copy.
  public func slice(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "\(range) of \(shape)")
    let stride = shape[0] == 0 ? 0 : count / shape[0]
    return Tensor(
      Shape([range.count] + shape.extents.dropFirst()), over: buffer,
      offset: offset + range.lowerBound * stride)
  }

  public func copy(from pool: BufferPool) -> Tensor {
    let result = Tensor(shape, from: pool)
    result.pointer.update(from: pointer, count: count)
    return result
  }
}
