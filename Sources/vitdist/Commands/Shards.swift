import Archives
import ArgumentParser
import Configuration
import Datasets
import Reports

struct Shards: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make, look at and check shards of images.",
    subcommands: [ShardsCreate.self, Inspect.self, Verify.self])

  struct Inspect: LoneCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what shards hold: layout, images, classes.")
    @Argument(help: .init("A folder of shards, or HDF5 files.", valueName: "path")) var paths:
      [String]
    @Option(help: .init("Part of files that hold several. None by default.", valueName: "name"))
    var split = ""
    @Flag(help: "Print JSON.") var json = false

    func work() throws {
      let inspection = ShardInspection(try ShardSet(paths: paths, split: split))
      if json { return print(ValueTree(encoding: inspection).json) }
      var files = TextTable(["file", "layout", "images", "MiB"])
      for file in inspection.files {
        files.append([
          FileSystem.name(of: file.path), file.layout, "\(file.images)",
          String(mebibytes(file.bytes).dropLast(4)),
        ])
      }
      print(files.text)
      var classes = TextTable(["label", "class", "images"])
      for (label, name) in inspection.classes.enumerated() {
        classes.append(["\(label)", name, "\(inspection.labels[label])"])
      }
      print(classes.text)
      print("\(counted(inspection.images, "image")), fingerprint \(inspection.fingerprint)")
    }
  }

  struct Verify: RankedCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read every byte, decode every image, compare every checksum.")
    @Argument(help: .init("A folder of shards, or HDF5 files.", valueName: "path")) var paths:
      [String]
    @Option(help: .init("Part of files that hold several. None by default.", valueName: "name"))
    var split = ""

    func run(_ session: Session) throws {
      let set = try ShardSet(paths: paths, split: split)
      let check = RecodeImages(RecodeOptions())
      let ranks = session.communicator
      let progress = CountProgress("verifying")
      let report = ShardVerification.run(
        set, rank: ranks.rank, size: ranks.size,
        decode: { _ = try check.prepare($0, $1) },
        progress: { if ranks.isRoot { progress.update($0, of: $1) } })
      progress.finish()
      for fault in report.faults { printError("\(fault.what): \(fault.problem)") }
      let totals = try ranks.allReduce([report.images, report.faults.count], by: .sum)
      guard totals[1] == 0 else {
        throw ArchiveError(
          .badData, path: paths.joined(separator: ", "),
          "\(counted(totals[1], "fault")) in \(counted(totals[0], "image")), named above",
          remedy: "Make the damaged shards again from their source")
      }
      session.output("\(counted(totals[0], "image")) in \(set.classes.count) classes, all sound")
    }
  }
}
