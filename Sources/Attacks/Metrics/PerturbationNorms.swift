/// The size of a change over all channels and pixels, in units of the pixel range.
public struct PerturbationNorms: Codable, Sendable, Equatable, BitwiseCopyable {
  public var l1 = 0.0
  public var l2 = 0.0
  public var linf = 0.0

  public init() {}

  /// Double sums of `Float` differences.
  public init(_ x: UnsafePointer<Float>, minus clean: UnsafePointer<Float>, count: Int) {
    var squares = 0.0
    for i in 0..<count {
      let change = abs(Double(x[i] - clean[i]))
      l1 += change
      squares += change * change
      linf = max(linf, change)
    }
    l2 = squares.squareRoot()
  }
}
