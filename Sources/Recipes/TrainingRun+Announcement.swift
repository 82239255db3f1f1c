import Collectives
import Networks
import Training

extension TrainingRun {
  /// Says what is about to run, and what of it will not be as fast as it could be.
  func announce(_ network: Network, _ training: TrainingStep, from step: Int) {
    if !recipe.precision.advice.isEmpty { say("note: \(recipe.precision.advice)") }
    let plan = training.plan
    let count = network.parameters.layout.parameterCount
    let ranks = "\(communicator.size) rank\(communicator.size == 1 ? "" : "s")"
    let threads = recipe.threads > 1 ? " of \(recipe.threads) threads" : ""
    say(
      "\(recipe.model.kind): \(count) parameters, \(ranks)\(threads), \(products.kernel) kernels\n"
        + "\(plan.batches.sampleCount) images; \(plan.totalSteps) steps of "
        + "\(plan.batches.batchSize) images in \(plan.batches.virtualShards) virtual shards; "
        + "micro-batches of \(plan.microBatch)\n"
        + (step > 0 ? "going on after step \(step) in \(folder.path)" : "writing to \(folder.path)")
    )
    for note in threadNotes(shards: training.reducer.localShards.count) { say("note: \(note)") }
  }

  /// Why threads of this rank would be idle or in each other's way.
  private func threadNotes(shards: Int) -> [String] {
    let wanted = recipe.threads
    guard wanted > 1 else { return [] }
    var notes: [String] = []
    if team.size < wanted {
      notes.append("the system grants \(team.size) of \(wanted) threads")
    }
    if shards % wanted != 0 {
      let idle = (shards + wanted - 1) / wanted * wanted - shards
      notes.append(
        "\(wanted) threads share out \(shards) virtual shards a rank, so \(idle) idle at the end of "
          + "every step; take a number that divides them, or raise batch.virtualShards in a new run"
      )
    }
    let cores = Launch.usableProcessors
    if cores > 0, cores < wanted {
      let cure =
        Launch().launcher == .mpirun
        ? "; mpirun binds a rank to one core unless it is given --bind-to none, or "
          + "--map-by slot:PE=\(wanted)" : ""
      notes.append("\(wanted) threads share \(cores) core\(cores == 1 ? "" : "s")\(cure)")
    }
    return notes
  }
}
