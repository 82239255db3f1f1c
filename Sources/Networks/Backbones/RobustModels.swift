/// The published sizes of RVT and FAN under their authors' names.
public enum RobustModels {
  public struct Entry<Options: Backbone>: Sendable {
    public let name: String
    public let about: String
    public let options: Options
  }

  public static let rvt: [Entry<RobustVisionTransformer>] =
    [
      rvt("tiny", widths: [192, 384], heads: [6, 12], depths: [10, 2]),
      rvt("tiny", widths: [192, 384], heads: [6, 12], depths: [10, 2], masked: 10),
      rvt("small", widths: [384], heads: [6], depths: [12]),
      rvt("small", widths: [384], heads: [6], depths: [12], masked: 5),
      rvt("base", widths: [768], heads: [12], depths: [12]),
      rvt("base", widths: [768], heads: [12], depths: [12], masked: 5),
    ]

  public static let fan: [Entry<FullyAttentionalNetwork>] =
    [
      fan("fan_tiny_12_p16_224", width: 192, heads: 4, depth: 12),
      fan("fan_small_12_p16_224", width: 384, heads: 8, depth: 12),
      fan("fan_base_18_p16_224", width: 448, heads: 8, depth: 18),
      fan("fan_large_24_p16_224", width: 480, heads: 10, depth: 24),
      fan("fan_tiny_8_p4_hybrid", width: 192, heads: 8, depth: 8, stemDepths: [3, 3]),
      // Named for a depth of 12, published with 10.
      fan("fan_small_12_p4_hybrid", width: 384, heads: 8, depth: 10, stemDepths: [3, 3]),
      fan("fan_base_16_p4_hybrid", width: 448, heads: 8, depth: 16, stemDepths: [3, 3]),
      fan(
        "fan_large_16_p4_hybrid", width: 480, heads: 10, depth: 22, stemDepths: [3, 5],
        headScale: 0.001),
    ]

  /// The authors' code masks 5 blocks of RVT-B*; their table's 91.8 million parameters need all 12.
  private static func rvt(
    _ size: String, widths: [Int], heads: [Int], depths: [Int], masked: Int = 0
  ) -> Entry<RobustVisionTransformer> {
    var options = RobustVisionTransformer()
    (options.widths, options.heads, options.depths) = (widths, heads, depths)
    options.maskedBlocks = masked
    options.feedForward = size == "base" ? .plain : .convolutional
    let suffix = masked > 0 ? "_plus" : ""
    let mask = masked > 0 ? ", \(masked) with masked attention" : ""
    return Entry(
      name: "rvt_\(size)\(suffix)",
      about: "RVT: widths \(list(widths)), \(list(depths)) blocks\(mask), 224 px",
      options: options)
  }

  private static func fan(
    _ name: String, width: Int, heads: Int, depth: Int, stemDepths: [Int]? = nil,
    headScale: Float = 1
  ) -> Entry<FullyAttentionalNetwork> {
    var options = FullyAttentionalNetwork()
    (options.width, options.heads, options.depth) = (width, heads, depth)
    options.headScale = headScale
    if let stemDepths { (options.stem, options.stemDepths) = (.convnext, stemDepths) }
    let kind = stemDepths == nil ? "FAN-ViT" : "FAN-Hybrid"
    return Entry(
      name: name, about: "\(kind): width \(width), \(depth) blocks, \(heads) heads, 224 px",
      options: options)
  }

  private static func list(_ values: [Int]) -> String {
    values.map(String.init).joined(separator: "-")
  }
}
