import Archives

/// What reading every byte of a set found.
public struct ShardVerification: Codable, Sendable, Equatable {
  /// A sample or file that is not right.
  public struct Fault: Codable, Sendable, Equatable {
    /// The sample as `ShardSet.describe` names it, or the path of a file.
    public var what: String
    public var problem: String
  }

  /// Images looked at.
  public var images = 0
  public var faults: [Fault] = []

  public var isClean: Bool { faults.isEmpty }

  public init() {}

  /// Reads and decodes every image and compares contents with the checksums that writers left.
  ///
  /// Opening the set has checked tables and labels already. Rank r of P looks at files r, r + P,
  /// ...
  ///
  /// - Parameters:
  ///   - decode: throws if the image cannot be decoded.
  ///   - progress: images that are done, and that this rank has in all.
  public static func run(
    _ set: ShardSet, rank: Int = 0, size: Int = 1,
    decode: ([UInt8], StoredImage) throws -> Void,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) -> ShardVerification {
    var report = ShardVerification()
    let mine = stride(from: rank, to: set.files.count, by: size).map { set.files[$0] }
    let total = mine.reduce(0) { $0 + $1.count }
    var bytes: [UInt8] = []
    for file in mine {
      for row in 0..<file.count {
        do {
          let stored = try file.images.read(row, into: &bytes)
          try decode(bytes, stored)
        } catch {
          report.faults.append(Fault(what: file.describe(row), problem: "\(error)"))
        }
        report.images += 1
        progress(report.images, total)
      }
      report.compareContent(file)
    }
    return report
  }

  private mutating func compareContent(_ file: ShardFile) {
    guard !file.content.isEmpty else { return }
    do {
      let found = ShardFormat.text(of: try file.contentCRC())
      guard found != file.content else { return }
      faults.append(
        Fault(
          what: file.path, problem: "the content has checksum \(found), expected \(file.content)"))
    } catch {
      faults.append(Fault(what: file.path, problem: "\(error)"))
    }
  }
}

extension ShardFile {
  /// Path, row and original name of a sample.
  func describe(_ row: Int) -> String {
    let name = name(row)
    return "\(path), image \(row)" + (name.isEmpty ? "" : " (\(name))")
  }

  /// CRC32C over the bytes of all images and the labels, as a writer leaves it in `content`.
  func contentCRC() throws -> UInt32 {
    var crc = CRC32C()
    var bytes: [UInt8] = []
    for row in 0..<count {
      _ = try images.read(row, into: &bytes)
      bytes.withUnsafeBytes { crc.update($0) }
    }
    labels.map(Int64.init).withUnsafeBytes { crc.update($0) }
    return crc.value
  }
}
