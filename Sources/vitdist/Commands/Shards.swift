import ArgumentParser

struct Shards: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make, look at and check shards of images.", subcommands: [])
}
