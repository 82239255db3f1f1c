import CMachine
import Glibc

/// The vector instructions this program was built for.
enum Processor {
  /// Ends the program with a sentence where it would otherwise die of an illegal instruction.
  static func refuseIfTooOld() {
    let missing = cmachine_built_for() & ~cmachine_processor_has()
    guard missing != 0 else { return }
    printError(
      "vitdist: this program was built for \(names(cmachine_built_for())), which this processor "
        + "does not have. Build it here, or everywhere with VITDIST_ARCH=x86-64-v3 swift build.")
    exit(70)
  }

  static var builtFor: String { names(cmachine_built_for()) }

  /// What the processor has and the build does not use; empty if the build is the right one.
  static var unused: String {
    let unused = cmachine_processor_has() & ~cmachine_built_for()
    return unused == 0 ? "" : names(unused)
  }

  private static func names(_ features: UInt32) -> String {
    let all = [
      (CMACHINE_AVX2, "AVX2"), (CMACHINE_FMA, "FMA"), (CMACHINE_AVX512, "AVX-512"),
      (CMACHINE_BF16, "AVX512-BF16"),
    ]
    let present = all.filter { features & UInt32($0.0) != 0 }.map(\.1)
    return present.isEmpty ? "a baseline processor" : present.joined(separator: ", ")
  }
}
