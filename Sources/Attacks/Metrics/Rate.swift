/// A part of a whole, with its uncertainty.
public struct Rate: Codable, Sendable, Equatable {
  public var hits = 0
  public var of = 0
  /// hits / of; 0 where there is nothing.
  public var value = 0.0
  /// Bounds of the 95 % interval of Wilson (1927): with few samples it does not leave 0...1.
  public var low = 0.0
  public var high = 0.0

  public init() {}

  public init(_ hits: Int, of count: Int) {
    self.hits = hits
    of = count
    guard count > 0 else { return }
    let (n, z) = (Double(count), 1.959963984540054)
    value = Double(hits) / n
    let scale = 1 / (1 + z * z / n)
    let middle = scale * (value + z * z / (2 * n))
    let half = scale * z * (value * (1 - value) / n + z * z / (4 * n * n)).squareRoot()
    (low, high) = (max(0, middle - half), min(1, middle + half))
  }
}
