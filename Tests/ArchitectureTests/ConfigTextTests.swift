import TestSupport
import Testing

/// What a reader finds when opening a config. That it can be loaded is tested with the recipes.
@Suite struct ConfigTextTests {
  static let configs = SourceTree.files(in: "Configs", endings: [".yaml"])

  @Test func theNamedDataSetsHaveOne() {
    let names = Self.configs.map { String($0.path.dropFirst("Configs/".count)) }
    for name in [
      "quickstart.yaml", "cifar10/supervised.yaml", "fashion-mnist/supervised.yaml",
      "tiny-imagenet/supervised.yaml", "imagenette/deit_tiny.yaml", "imagenet/deit_tiny.yaml",
      "imagenet/deit_small.yaml", "imagenet/deit_base.yaml",
    ] {
      #expect(names.contains(name), "Configs/\(name) is missing")
    }
  }

  @Test(arguments: configs)
  func itOpensWithWhatItIs(file: SourceTree.File) throws {
    #expect(file.lines.first == "about: |", "\(file) does not open with its description")
    let about = file.lines.dropFirst().prefix { $0.isEmpty || $0.hasPrefix("  ") }
      .joined(separator: "\n")
    #expect(about.contains("vitdist train --config \(file.path)"), "\(file) lacks its command")
    #expect(about.contains("Expect"), "\(file) does not say what to expect")
  }
}
