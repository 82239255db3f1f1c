import Archives
import Collectives
import Foundation
import Synchronization

/// One checkpoint on disk, for tools of a single process.
public struct CheckpointFiles {
  public let manifest: CheckpointManifest

  /// The checkpoint in a folder `step_XXXXXXXX`, or the newest that verifies in a folder of such or
  /// in the folder of a run, which holds one under `checkpoints`.
  /// A single checkpoint is opened even if its data is damaged, for `verify`.
  public init(_ given: String) throws {
    let inner = given + "/checkpoints"
    let path = FileManager.default.fileExists(atPath: inner) ? inner : given
    if FileManager.default.fileExists(atPath: path + "/" + CheckpointManifest.fileName) {
      manifest = try CheckpointManifest.read(from: path)
    } else {
      let store = try CheckpointStore(path, communicator: SoloCommunicator(), access: .reading)
      manifest = try store.open(path)
    }
  }

  /// Every damage found, naming file and tensors; empty if all checksums hold. Files are read by as
  /// many threads as there are cores.
  public func verify() throws -> [CheckpointError] {
    let manifest = manifest
    let found = Mutex([Int: Result<[CheckpointError], any Error>]())
    DispatchQueue.concurrentPerform(iterations: manifest.files.count) { index in
      let result = Result { try manifest.damage(ofFile: index) }
      found.withLock { $0[index] = result }
    }
    let results = found.withLock { $0 }
    return try manifest.files.indices.flatMap { try results[$0]?.get() ?? [] }
  }

  /// Bytes of all files but the manifest.
  public var bytes: Int { manifest.files.reduce(0) { $0 + $1.bytes } }

  /// One SHA-256 over all slabs (weights, moments, averages), sorted by name, and in each the
  /// parameters in the order of the layout: the line `slab parameter shape`, then the elements as
  /// little-endian f32. Gaps are left out, so nothing depends on how many ranks wrote it. Of a slab that
  /// has no parameters the line is `slab elements`.
  public func digest() throws -> String {
    let digest = SHA256Digest()
    for slab in manifest.slabs {
      let values = try read(slab)
      guard manifest.hasParameters(slab) else {
        digest.update("\(slab) \(values.count)\n")
        values.withUnsafeBytes { digest.update($0) }
        continue
      }
      for parameter in manifest.parameters {
        digest.update("\(slab) \(parameter.name) \(parameter.shape)\n")
        values.withUnsafeBytes { bytes in
          let stride = MemoryLayout<Float>.stride
          let range = parameter.range.lowerBound * stride..<parameter.range.upperBound * stride
          digest.update(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
      }
    }
    return digest.finish()
  }

  /// A whole slab, gaps included.
  public func read(_ slab: String) throws -> [Float] {
    var values = [Float](repeating: 0, count: manifest.count(of: slab))
    try values.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress, !buffer.isEmpty else { return }
      let whole = CheckpointSlab(slab, whole: base, ranges: [0..<buffer.count])
      try CheckpointLoader(manifest: manifest).load([whole])
    }
    return values
  }

  /// A table for people.
  public func inspect() -> String {
    let parameters = manifest.parameters.reduce(0) { $0 + $1.range.count }
    var rows = [
      ("folder", manifest.path),
      ("step", "\(manifest.step) (epoch \(manifest.epoch), \(manifest.samplesSeen) samples)"),
      ("written by", "vitdist \(manifest.vitdistVersion), \(manifest.ranks) ranks"),
      ("virtual shards", "\(manifest.virtualShards)"),
      ("seed", "\(manifest.seed)"),
      ("BLAS kernel", manifest.blasKernel),
      ("config digest", manifest.configDigest),
      ("data fingerprint", manifest.dataFingerprint),
      ("model", manifest.model),
      ("parameters", "\(parameters) in \(manifest.parameters.count) tensors"),
      ("slabs", manifest.slabs.joined(separator: ", ")),
      ("files", "\(manifest.files.count) of \(bytes) bytes together"),
    ]
    rows += manifest.state.sorted { $0.key < $1.key }.map { ("state " + $0.key, $0.value) }
    rows += manifest.metrics.sorted { $0.key < $1.key }.map { ("metric " + $0.key, "\($0.value)") }
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { name, value in
      name + String(repeating: " ", count: width - name.count + 2) + value + "\n"
    }.joined()
  }
}
