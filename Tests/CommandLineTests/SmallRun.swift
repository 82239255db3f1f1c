import Foundation
import TestSupport
import Testing

/// A folder with a data set of seconds and a config with everything on that could depend on a rank.
final class SmallRun {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("vitdist-small-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, count) in [("train", 330), ("validation", 50)] {
      let outcome = try Program.run([
        "shards", "create", "--from", "synthetic", "--split", name, "--output", path(name),
        "--count", "\(count)", "--image-size", "16", "--images-per-shard", "100",
      ])
      try #require(outcome.status == 0, "\(outcome.errors)")
    }
    try config.write(toFile: path("config.yaml"), atomically: true, encoding: .utf8)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// Sixty-four images a step in 32 virtual shards of two, so that up to 32 ranks have work; the
  /// last batch of an epoch has ten images and leaves shards empty.
  private var config: String {
    """
    about: a run of seconds with everything on that could depend on a rank
    seed: 5
    model:
      kind: vit
      imageSize: 16
      patchSize: 4
      width: 32
      depth: 2
      heads: 2
      classes: 10
      dropPath: 0.2
    data:
      train: \(path("train"))
      validation: \(path("validation"))
      augmentation:
        crop: {kind: padded, padding: 2}
        horizontalFlip: 0.5
        colorJitter: {brightness: 0.2}
        randAugment: {layers: 2}
        randomErasing: {probability: 0.25}
        mixup: {alpha: 0.8}
        cutmix: {alpha: 1.0}
        repeats: 3
    objective: {kind: supervised, labelSmoothing: 0.1}
    optimizer: {kind: adamw, learningRate: 1.0e-3, weightDecay: 0.05}
    schedule: {kind: cosine, warmupEpochs: 2}
    batch: {size: 64, virtualShards: 32, microBatch: 2}
    average: {decay: 0.99}
    steps: 60
    checkpoints: {everySteps: 30, keepLast: 3}
    """
  }

  /// Arguments of `train` into a folder of its own.
  func training(_ name: String, _ settings: [String] = []) -> [String] {
    ["train", "--config", path("config.yaml"), "--output", path(name)]
      + settings.flatMap { ["--set", $0] }
  }

  /// The bits of every step's loss, by step; a step that was run twice must have equal bits.
  func losses(_ name: String) throws -> [Int: String] {
    struct Line: Decodable {
      let step: Int
      let lossBits: String?
    }
    var losses: [Int: String] = [:]
    let text = try String(contentsOfFile: path("\(name)/metrics.jsonl"), encoding: .utf8)
    for line in text.split(separator: "\n") {
      let entry = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
      guard let bits = entry.lossBits else { continue }
      #expect(losses[entry.step] ?? bits == bits, "step \(entry.step) had two losses")
      losses[entry.step] = bits
    }
    return losses
  }

  /// The figures of every evaluation, by name, without the time it took.
  func judgements(_ name: String) throws -> [[String: Double]] {
    let text = try String(contentsOfFile: path("\(name)/metrics.jsonl"), encoding: .utf8)
    return try text.split(separator: "\n").compactMap { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard var figures = object?.compactMapValues({ $0 as? Double }),
        figures["validation.accuracy"] != nil
      else { return nil }
      figures["validation.seconds"] = nil
      return figures
    }
  }

  /// What `checkpoint digest` says of the newest checkpoint of a run.
  func digest(_ name: String) throws -> String {
    let outcome = try Program.run(["checkpoint", "digest", path("\(name)/checkpoints")])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let digest = outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(digest.contains(/[0-9a-f]{64}/), "not a SHA-256: \(digest)")
    return digest
  }

  /// Paths of the shards in a folder, sorted.
  func shards(_ name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name))
      .filter { $0.hasSuffix(".h5") }.sorted().map { path("\(name)/\($0)") }
  }

  /// Whether a run has taken its first dozen of steps.
  func hasSteps(_ name: String) -> Bool {
    let attributes = try? FileManager.default.attributesOfItem(
      atPath: path("\(name)/metrics.jsonl"))
    return (attributes?[.size] as? Int ?? 0) > 2000
  }

  /// Steps of a run's checkpoints, ascending.
  func steps(_ name: String) throws -> [Int] {
    try FileManager.default.contentsOfDirectory(atPath: path("\(name)/checkpoints"))
      .compactMap { $0.hasPrefix("step_") ? Int($0.dropFirst(5)) : nil }.sorted()
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
}
