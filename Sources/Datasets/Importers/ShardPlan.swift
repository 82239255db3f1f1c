import Archives
import Configuration
import Tensors

/// Which image goes to which shard: a function of options and source alone, never of ranks.
struct ShardPlan {
  /// Names of the files, in order.
  let files: [ShardFileName]
  /// Digest of all that the shards are made from.
  let digest: String
  private let order: [Int]

  init(
    _ options: ShardOptions, _ input: any ShardInput, _ transform: any ImageTransform
  ) throws {
    try options.validate()
    let count = input.count
    guard count > 0 else {
      throw ConfigurationError(
        "", "the source has not one image", remedy: "Check its path and split")
    }
    let total =
      options.shards > 0
      ? options.shards : (count + options.imagesPerShard - 1) / options.imagesPerShard
    guard total <= count else {
      throw ConfigurationError(
        "shards", "is \(total), but there are only \(count) images", remedy: "Ask for fewer shards")
    }
    files = (0..<total).map { ShardFileName(options.name, index: $0, total: total) }
    order = Self.order(count, options)
    let digest = SHA256Digest()
    digest.update("\(ShardFormat.format) \(ShardFormat.version)\n\(options.identity)\n")
    digest.update("\(input.identity)\n\(count)\n\(transform.identity)\n")
    for name in input.classes { digest.update(name + "\n") }
    self.digest = digest.finishHexadecimal()
  }

  /// Images of a shard, as indices of the source, in the order of the file.
  func images(of shard: Int) -> ArraySlice<Int> {
    order[(shard * order.count / files.count)..<((shard + 1) * order.count / files.count)]
  }

  private static func order(_ count: Int, _ options: ShardOptions) -> [Int] {
    guard options.shuffle else { return Array(0..<count) }
    let key = RandomKey(seed: options.seed, .permutation)
    // Two equal draws are as good as impossible, but the index decides even then.
    return (0..<count).map { (key.bits($0), $0) }.sorted { $0 < $1 }.map(\.1)
  }
}
