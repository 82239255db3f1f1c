/// The published sizes under timm's names.
public enum NamedModels {
  public struct Entry: Sendable {
    public let name: String
    public let options: VisionTransformer

    public var about: String {
      "\(name.hasPrefix("deit") ? "DeiT" : "ViT"): width \(options.width), \(options.depth) blocks, "
        + "\(options.heads) heads, \(options.imageSize) px in patches of \(options.patchSize)"
    }
  }

  public static let entries: [Entry] =
    [
      vit("vit_tiny_patch16_224", width: 192, heads: 3),
      vit("vit_small_patch16_224", width: 384, heads: 6),
      vit("vit_small_patch32_224", width: 384, heads: 6, patch: 32),
      vit("vit_base_patch16_224", width: 768, heads: 12),
      vit("vit_base_patch32_224", width: 768, heads: 12, patch: 32),
      vit("vit_base_patch16_384", width: 768, heads: 12, side: 384),
      vit("vit_large_patch16_224", width: 1024, heads: 16, depth: 24),
      vit("vit_large_patch32_224", width: 1024, heads: 16, depth: 24, patch: 32),
      vit("vit_large_patch16_384", width: 1024, heads: 16, depth: 24, side: 384),
      vit("vit_huge_patch14_224", width: 1280, heads: 16, depth: 32, patch: 14),
    ] + deit(distilled: false) + deit(distilled: true)

  public static subscript(name: String) -> VisionTransformer? {
    entries.first { $0.name == name }?.options
  }

  /// Google's weights want pixels in -1...1.
  private static func vit(
    _ name: String, width: Int, heads: Int, depth: Int = 12, patch: Int = 16, side: Int = 224
  ) -> Entry {
    var options = VisionTransformer()
    (options.width, options.heads, options.depth) = (width, heads, depth)
    (options.patchSize, options.imageSize) = (patch, side)
    options.mean = [0.5, 0.5, 0.5]
    options.deviation = [0.5, 0.5, 0.5]
    return Entry(name: name, options: options)
  }

  private static func deit(distilled: Bool) -> [Entry] {
    let sizes = [
      ("tiny", 192, 3, 224), ("small", 384, 6, 224), ("base", 768, 12, 224), ("base", 768, 12, 384),
    ]
    return sizes.map { size, width, heads, side in
      var options = VisionTransformer()
      (options.width, options.heads, options.imageSize) = (width, heads, side)
      (options.mean, options.deviation) = options.normalization
      options.distilled = distilled
      let middle = distilled ? "_distilled" : ""
      return Entry(name: "deit_\(size)\(middle)_patch16_\(side)", options: options)
    }
  }
}
