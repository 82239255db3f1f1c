import ArgumentParser
import Benchmarks
import Collectives
import Glibc
import Tensors

struct Doctor: RankedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at this machine and this build, and say what costs speed or exactness.")

  func run(_ session: Session) throws {
    let products = OpenBLASProducts()
    let communicator = session.communicator
    let rates = try Precision.allCases.map { precision in
      let pool = BufferPool()
      let products = precision.products(from: pool)
      let rate = ProductRate.measure(products, pool: pool)
      let all = try communicator.allGather("\(Int(rate))").joined(separator: ", ")
      return "\(all) GFLOP/s per rank, 1024³, \(precision.rawValue) (\(products.kernel))"
    }
    session.output("vitdist      \(Vitdist.version), built for \(Processor.builtFor)")
    session.output(
      "processor    \(Machine.processor("model name")), \(counted(Machine.usableCores, "core")) for "
        + "this process")
    session.output(
      "products     \(products.kernel) kernels of "
        + products.build.split(separator: " ").prefix(2).joined(separator: " "))
    for rate in rates { session.output("rate         \(rate)") }
    session.output("ranks        \(communicator.size), \(communicator.localSize) on this node")
    session.output("MPI          \(MPICommunicator.libraryVersion)")

    let advice = Advice.all(products, communicator)
    for sentence in advice { session.output("advice       \(sentence)") }
    if advice.isEmpty { session.output("advice       none: nothing found that costs speed") }
  }
}

/// What a machine or environment does that halves the speed, each with its cure.
enum Advice {
  static func all(_ products: OpenBLASProducts, _ communicator: any Communicator) -> [String] {
    var advice: [String] = []
    if let kernel = Launch.environment("OPENBLAS_CORETYPE") {
      advice.append(
        "OPENBLAS_CORETYPE=\(kernel) overrides the choice of kernels; unset it unless nodes of "
          + "several kinds must give the same bits")
    }
    if Machine.processor("flags").contains("avx512f"),
      ["Haswell", "Zen", "Sandybridge"].contains(products.kernel)
    {
      advice.append(
        "\(products.kernel) kernels on a processor with AVX-512 run at half its rate; they still "
          + "multiply what is too small for tiles")
    }
    if !Processor.unused.isEmpty {
      advice.append(
        "the build does not use \(Processor.unused), which this processor has: build it here")
    }
    if communicator.localSize > Machine.cores {
      advice.append(
        "\(communicator.localSize) ranks on \(Machine.cores) cores take turns: start one a core")
    }
    return advice
  }
}
