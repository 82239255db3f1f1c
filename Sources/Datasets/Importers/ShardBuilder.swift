import Archives
import Configuration

/// An image that was left out, and why.
public struct SkippedImage: Codable, Sendable, Equatable {
  public var name: String
  public var problem: String
}

/// What one rank did.
public struct ShardBuildSummary: Codable, Sendable, Equatable {
  /// Files of the whole set.
  public var shards = 0
  /// Of those this rank is responsible for: newly written, and found finished.
  public var written = 0
  public var kept = 0
  /// Images in the files of this rank.
  public var images = 0
  /// Bytes of the files of this rank.
  public var bytes = 0
  /// Images that this rank left out in files it wrote.
  public var skipped: [SkippedImage] = []
  /// Images that were left out before in files that were kept.
  public var skippedEarlier = 0

  public init() {}
}

/// Makes a set of shards. Rank r of P writes shards r, r + P, ...; ranks need not talk to each
/// other.
///
/// A build that was stopped goes on where it was: finished shards of the same source and options
/// are kept. A folder that holds anything else is refused.
public struct ShardBuilder {
  public var options: ShardOptions
  public var transform: any ImageTransform
  /// Replace shards of another source or other options.
  public var isForced: Bool

  public init(
    _ options: ShardOptions = ShardOptions(), transform: any ImageTransform = KeepImages(),
    isForced: Bool = false
  ) {
    self.options = options
    self.transform = transform
    self.isForced = isForced
  }

  /// - Parameter progress: images of this rank that are done, and that it has in all.
  /// - Throws: `ConfigurationError` for options that cannot be met, `ArchiveError` for the rest.
  public func build(
    _ input: any ShardInput, output folder: String, rank: Int = 0, size: Int = 1,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> ShardBuildSummary {
    precondition(rank >= 0 && rank < size)
    let plan = try ShardPlan(options, input, transform)
    try FileSystem.makeFolder(folder)
    try clear(folder, plan, rank: rank)
    let mine = Array(stride(from: rank, to: plan.files.count, by: size))
    let total = mine.reduce(0) { $0 + plan.images(of: $1).count }
    var summary = ShardBuildSummary()
    summary.shards = plan.files.count
    var done = 0
    for shard in mine {
      if !keep(shard, plan, in: folder, &summary) {
        try write(shard, plan, input, in: folder, &summary) { progress(done + $0, total) }
      }
      done += plan.images(of: shard).count
      progress(done, total)
    }
    return summary
  }

  /// Refuses a folder with other shards in it, or removes them if forced.
  private func clear(_ folder: String, _ plan: ShardPlan, rank: Int) throws {
    let expected = Set(plan.files.map(\.description))
    for name in try FileSystem.list(folder) where name.hasSuffix(".h5") {
      let path = FileSystem.join(folder, name)
      let isOwn =
        Self.build(of: path, or: expected.contains(name) ? plan.digest : "") == plan.digest
      if expected.contains(name) && (isOwn || isForced) { continue }
      guard isForced, ShardFileName(parsing: name) != nil else {
        throw ArchiveError.bad(
          path, "was made from another source or with other options",
          remedy: "Give another output folder"
            + (isForced ? "; this file is not a shard and is left alone" : ", or --force"))
      }
      // One rank removes what the new set does not replace.
      if rank == 0 { try FileSystem.remove(path) }
    }
  }

  /// The digest a file was built from; `unreadable` if it cannot be told, for files cut short.
  private static func build(of path: String, or unreadable: String) -> String {
    guard let reader = try? FileReader(path), (try? ShardSeal.check(reader)) != nil,
      let file = try? HDF5File(reading: path)
    else { return unreadable }
    return (try? file.attributes.string(ShardFormat.build)) ?? ""
  }

  /// Whether a shard is finished and whole; counts it if so.
  private func keep(
    _ shard: Int, _ plan: ShardPlan, in folder: String, _ summary: inout ShardBuildSummary
  ) -> Bool {
    let path = FileSystem.join(folder, plan.files[shard].description)
    let planned = plan.images(of: shard).count
    guard FileSystem.exists(path), Self.build(of: path, or: "") == plan.digest,
      let file = try? ShardFile(path, split: "", isChosen: true),
      file.count == planned || (options.broken == .skip && file.count < planned),
      (try? file.contentCRC()).map(ShardFormat.text) == file.content
    else { return false }
    summary.kept += 1
    summary.images += file.count
    summary.bytes += file.size
    summary.skippedEarlier += planned - file.count
    return true
  }

  private func write(
    _ shard: Int, _ plan: ShardPlan, _ input: any ShardInput, in folder: String,
    _ summary: inout ShardBuildSummary, progress: (Int) -> Void
  ) throws {
    let writer = try ShardWriter(
      plan.files[shard], in: folder, storage: transform.storage(of: input.storage),
      classes: input.classes)
    for (position, index) in plan.images(of: shard).enumerated() {
      do {
        let item = try prepared(input, index)
        try writer.append(item.bytes, item.stored, label: item.label, name: item.name)
      } catch let broken as BrokenImage {
        guard options.broken == .skip else { throw broken.refusal }
        summary.skipped.append(SkippedImage(name: broken.name, problem: broken.problem))
      }
      progress(position + 1)
    }
    try writer.finish(build: plan.digest)
    summary.written += 1
    summary.images += writer.count
    summary.bytes += try FileSystem.size(writer.path)
  }

  /// The image as it is stored; throws `BrokenImage` if the fault is the image's own.
  private func prepared(_ input: any ShardInput, _ index: Int) throws -> ShardItem {
    var item: ShardItem
    do {
      item = try input.item(at: index)
    } catch let error as ArchiveError where error.kind == .badData {
      throw BrokenImage(name: error.path, problem: error.problem)
    }
    do {
      (item.bytes, item.stored) = try transform.prepare(item.bytes, item.stored)
    } catch {
      throw BrokenImage(name: item.name, problem: "\(error)")
    }
    return item
  }
}

private struct BrokenImage: Error {
  var name: String
  var problem: String

  var refusal: ArchiveError {
    .bad(name, problem, remedy: "Remove or replace this image, or skip broken ones")
  }
}
