// swift-tools-version: 6.1
// The manifest is the architecture diagram: floors from the ground up, each room with the rooms it
// may import. `ArchitectureTests` holds the sources against this table.
import Foundation
import PackageDescription

// MARK: Floor 0: one door per C library

let doors: [Target] = [
  door("COpenBLAS", pkgConfig: "openblas", apt: "libopenblas-dev"),
  door("COneDNN", apt: "libdnnl-dev"),
  door("COpenMPI", pkgConfig: "ompi-c", apt: "libopenmpi-dev"),
  door("CHDF5", pkgConfig: "hdf5", apt: "libhdf5-dev"),
  door("CTurboJPEG", pkgConfig: "libturbojpeg", apt: "libturbojpeg0-dev"),
  door("CPNG", pkgConfig: "libpng", apt: "libpng-dev"),
  door("CArchive", pkgConfig: "libarchive", apt: "libarchive-dev"),
  door("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
  door("CISAL", pkgConfig: "libisal", apt: "libisal-dev"),
  // No library: what Swift's vectors cannot say, in headers that are inlined.
  door("CLanes"),
  door("CPixels"),
  // No library: what the processor can do, in C that runs on any of them.
  .target(name: "CMachine", path: "Sources/CMachine"),
]

// MARK: Floors 1 to 8

let rooms: [Target] = [
  room("Tensors", uses: ["COpenBLAS", "COneDNN", "CLanes"], links: oneDNN),
  room("Configuration", uses: ["Yams"]),
  room("Collectives", uses: ["COpenMPI"]),
  room("Archives", uses: ["CHDF5", "CCrypto", "CISAL"]),

  room("Autograd", uses: ["Tensors"]),
  room(
    "Datasets",
    uses: ["Tensors", "Configuration", "Archives", "CTurboJPEG", "CPNG", "CArchive", "CPixels"]),

  room("Networks", uses: ["Autograd", "Tensors", "Configuration", "Archives"]),
  room("Optimizers", uses: ["Autograd", "Configuration"]),
  room("Checkpoints", uses: ["Autograd", "Archives", "Collectives", "Configuration"]),

  room("Attacks", uses: ["Networks", "Autograd", "Tensors", "Configuration"]),

  room(
    "Objectives",
    uses: [
      "Attacks", "Networks", "Optimizers", "Autograd", "Datasets", "Tensors", "Configuration",
    ]),

  room(
    "Training",
    uses: [
      "Objectives", "Attacks", "Networks", "Optimizers", "Checkpoints", "Autograd", "Datasets",
      "Tensors", "Configuration", "Collectives", "Archives",
    ]),

  room("Reports", uses: ["Configuration", "Archives"]),
  room(
    "Recipes",
    uses: [
      "Training", "Objectives", "Attacks", "Networks", "Optimizers", "Checkpoints", "Autograd",
      "Datasets", "Tensors", "Configuration", "Collectives", "Archives",
    ]),
  room(
    "Benchmarks",
    uses: [
      "Training", "Objectives", "Attacks", "Networks", "Optimizers", "Checkpoints", "Autograd",
      "Datasets", "Tensors", "Collectives", "Archives",
    ]),

  .executableTarget(
    name: "vitdist",
    dependencies: [
      "Recipes", "Benchmarks", "Reports", "Training", "Attacks", "Networks", "Objectives",
      "Optimizers",
      "Checkpoints", "Datasets", "Tensors", "Collectives", "Configuration", "Archives", "CMachine",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    swiftSettings: machineFlags()),
]

// MARK: Tests

let tests: [Target] = [
  .target(
    name: "TestSupport", dependencies: ["Tensors", "Autograd", "Archives"],
    path: "Tests/TestSupport", swiftSettings: machineFlags()),
  suite("Tensors"),
  suite("Configuration"),
  suite("Collectives"),
  suite("Archives"),
  suite("Autograd"),
  suite("Datasets", also: ["Archives", "Configuration"]),
  suite("Networks", also: ["Archives", "Configuration"]),
  suite("Optimizers", also: ["Configuration"]),
  suite("Checkpoints", also: ["Collectives", "Archives", "Configuration"]),
  suite("Attacks", also: ["Networks", "Configuration"]),
  suite("Objectives", also: ["Networks", "Datasets", "Configuration"]),
  suite(
    "Training",
    also: [
      "Attacks", "Collectives", "Optimizers", "Networks", "Objectives", "Datasets", "Archives",
      "Configuration",
    ]),
  suite("Reports", also: ["Configuration", "Archives"]),
  suite(
    "Recipes",
    also: [
      "Configuration", "Training", "Networks", "Objectives", "Optimizers", "Datasets",
      "Checkpoints", "Collectives", "Archives", "Tensors",
    ]),
  suite("Benchmarks"),
  .testTarget(
    name: "CommandLineTests", dependencies: ["vitdist", "TestSupport", "Archives"],
    path: "Tests/CommandLineTests"),
  .testTarget(
    name: "ArchitectureTests", dependencies: ["TestSupport"], path: "Tests/ArchitectureTests"),
]

let package = Package(
  name: "vitdist",
  products: [.executable(name: "vitdist", targets: ["vitdist"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ],
  targets: doors + rooms + tests)

// MARK: How a row becomes a target

/// Kernels are Swift compiled for one CPU: without a target, `addingProduct` becomes a library call
/// (20 to 130 times slower), and without the second flag `squareRoot` calls libm for its errno.
/// `VITDIST_ARCH` names the CPU for a cluster of mixed nodes, e.g. `x86-64-v4`.
func machineFlags() -> [SwiftSetting] {
  let architecture = Context.environment["VITDIST_ARCH"] ?? "native"
  return [.unsafeFlags(["-Xcc", "-march=\(architecture)", "-Xcc", "-fno-math-errno"])]
}

func door(_ name: String, pkgConfig: String? = nil, apt: String? = nil) -> Target {
  .systemLibrary(
    name: name, path: "Sources/\(name)", pkgConfig: pkgConfig,
    providers: apt.map { [.apt([$0])] })
}

/// oneDNN is optional: where its headers are not found, its door says no, and nothing is linked.
var oneDNN: [LinkerSetting] {
  let isThere = ["/usr/include", "/usr/local/include"].contains {
    FileManager.default.fileExists(atPath: $0 + "/oneapi/dnnl/dnnl.h")
  }
  return isThere ? [.linkedLibrary("dnnl")] : []
}

func room(_ name: String, uses: [String], links: [LinkerSetting] = []) -> Target {
  let products = ["Yams": Target.Dependency.product(name: "Yams", package: "Yams")]
  return .target(
    name: name, dependencies: uses.map { products[$0] ?? .byName(name: $0) },
    swiftSettings: machineFlags(), linkerSettings: links)
}

func suite(_ room: String, also: [String] = []) -> Target {
  .testTarget(
    name: room + "Tests",
    dependencies: Set([room, "Tensors", "Autograd", "TestSupport"] + also).sorted()
      .map { .byName(name: $0) },
    path: "Tests/\(room)Tests", swiftSettings: machineFlags())
}
