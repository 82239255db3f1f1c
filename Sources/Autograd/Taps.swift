/// Intermediate results by name: `blocks.3.attn.weights`, `blocks.3.output`.
///
/// A model offers every result it has a name for. Those asked for are kept; they are ordinary
/// variables, so a penalty on one differentiates. A result can also be replaced on its way, by a
/// function of it that the rest of the model then uses.
public final class Taps {
  public typealias Interposition = (Variable, Context) -> Variable

  private let wanted: Set<String>
  private let interpositions: [String: Interposition]
  private let outer: Taps?
  public private(set) var values: [String: Variable] = [:]

  /// - Parameters:
  ///   - names: results to keep, as they are after what is interposed here.
  ///   - outer: taps that see a result after these.
  public init(
    _ names: some Sequence<String> = [], interposing interpositions: [String: Interposition] = [:],
    inside outer: Taps? = nil
  ) {
    wanted = Set(names)
    self.interpositions = interpositions
    self.outer = outer
  }

  /// Whether anybody looks at the result of that name.
  public func wants(_ name: String) -> Bool {
    wanted.contains(name) || interpositions[name] != nil || outer?.wants(name) ?? false
  }

  func passes(_ value: Variable, as name: String, _ cx: Context) -> Variable {
    let result = interpositions[name]?(value, cx) ?? value
    if wanted.contains(name), !cx.isReplay { values[name] = result }
    return outer?.passes(result, as: name, cx) ?? result
  }
}
