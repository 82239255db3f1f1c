import Autograd

/// Which parameters weight decay applies to, and which do not move at all.
///
/// No decay for tensors of one dimension, biases, the position embedding and the learned tokens
/// (timm's current list; the version that DeiT was trained with still decayed `dist_token`), and
/// for Swin's tables of relative position biases.
public struct DecayGroups: Sendable, Equatable {
  /// Decay applies; it does not; the parameter is not updated at all.
  public enum Membership: Sendable { case decayed, undecayed, frozen }

  /// Names of parameters that stay as they are.
  public let frozen: Set<String>

  public init(frozen: Set<String> = []) { self.frozen = frozen }

  /// The group of a parameter, by its name and number of dimensions.
  public func membership(of entry: ParameterLayout.Entry) -> Membership {
    if frozen.contains(entry.name) { return .frozen }
    let last = entry.name.split(separator: ".").last.map(String.init) ?? entry.name
    let isExempt =
      entry.shape.rank <= 1 || Self.exempt.contains(last)
      || last.hasSuffix("relative_position_bias_table")
    return isExempt ? .undecayed : .decayed
  }

  private static let exempt: Set<String> = [
    "bias", "pos_embed", "cls_token", "dist_token", "reg_token",
  ]
}
