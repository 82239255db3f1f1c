import Tensors

/// All parameters in one allocation, laid out by `layout`.
public final class ParameterSlab: @unchecked Sendable {
  public let layout: ParameterLayout
  private let storage: Tensor
  /// Whoever holds the memory, where no pool does.
  private let owner: AnyObject?

  /// First element of the slab of `layout.count` floats.
  public var values: UnsafeMutablePointer<Float> { storage.pointer }

  /// A slab of zeros.
  public init(_ layout: ParameterLayout, from pool: BufferPool) {
    self.layout = layout
    storage = .zeros([layout.count], from: pool)
    owner = nil
  }

  /// A slab over memory of `layout.count` floats that `owner` keeps, with what it holds.
  public init(
    _ layout: ParameterLayout, at values: UnsafeMutablePointer<Float>, of owner: AnyObject
  ) {
    self.layout = layout
    storage = Tensor(
      [layout.count], over: Buffer(unowned: values, count: layout.count))
    self.owner = owner
  }

  /// The initial weights: each tensor from a stream keyed by its name, so that every rank makes the
  /// same ones, in whatever order modules are built.
  public convenience init(
    _ declarations: ParameterDeclarations, seed: UInt64, from pool: BufferPool
  ) {
    self.init(declarations.layout, from: pool)
    for (entry, initializer) in zip(layout.entries, declarations.initializers) {
      let key = RandomKey(seed: seed, .initialization, name: entry.name)
      initializer.fill(self[entry].elements, key: key)
    }
  }

  /// A parameter's data as a tensor over the slab.
  public subscript(entry: ParameterLayout.Entry) -> Tensor {
    storage.slice(entry.range).reshaped(entry.shape)
  }

  public subscript(parameter: Parameter) -> Tensor { self[parameter.entry] }
}
