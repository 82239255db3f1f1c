import Archives
import Collectives
import Tensors
import Training

extension TrainingRun {
  /// What changes bits or which calls are made, and is set from outside.
  private static let variables = [
    "OPENBLAS_CORETYPE", "OPENBLAS_VERBOSE", "GLIBC_TUNABLES", TrainingFault.variable,
  ]

  /// All ranks run the same program with the same options on the same data with the same kernels, or
  /// none does.
  func agree(_ parts: Parts) throws {
    let identity = parts.identity
    let environment = Self.variables.compactMap { name in
      Launch.environment(name).map { "\(name)=\($0)" }
    }
    try Agreement.check(
      [
        ("program", try ProgramDigest.text()), ("version", identity.version),
        ("config", identity.configDigest), ("data", identity.dataFingerprint),
        ("BLAS kernel", identity.blasKernel), ("OpenBLAS", OpenBLASProducts().build),
        ("MPI", communicator.size > 1 ? MPICommunicator.libraryVersion : ""),
        ("virtual shards", "\(parts.plan.batches.virtualShards)"),
        ("options that change no bits", SHA256Digest.of(recipe.canonical(excluding: ["about"]))),
        ("environment", environment.joined(separator: " ")),
      ], on: communicator)
  }
}

/// What tells one build of the program from another.
enum ProgramDigest {
  /// Size and checksum of the running program's file; takes milliseconds.
  static func text() throws -> String {
    let file = try FileReader("/proc/self/exe")
    var checksum = CRC32C()
    let piece = 1 << 20
    for start in stride(from: 0, to: file.size, by: piece) {
      let bytes = try file.bytes(at: start, count: min(piece, file.size - start))
      bytes.withUnsafeBytes { checksum.update($0) }
    }
    return "\(file.size) bytes with CRC-32C \(String(checksum.value, radix: 16))"
  }
}
