import Testing

/// Expects that the program refuses: the exit code of the contract, one paragraph that names these
/// things, and no crash.
///
/// - Parameter isParagraph: mpirun and the argument parser add lines of their own.
func refused(
  _ arguments: [String], ranks: Int = 0, status: Int32, naming: [String],
  isParagraph: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let outcome = try Program.run(arguments, ranks: ranks, seconds: 120)
  #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: sourceLocation)
  for name in naming {
    #expect(
      outcome.errors.contains(name), "'\(name)' is not in: \(outcome.errors)",
      sourceLocation: sourceLocation)
  }
  #expect(
    !outcome.errors.contains("Fatal error"), "\(outcome.errors)", sourceLocation: sourceLocation)
  guard isParagraph else { return }
  let lines = outcome.errors.split(separator: "\n", omittingEmptySubsequences: false)
  #expect(
    lines.dropLast().allSatisfy { !$0.isEmpty } && lines.count <= 8, "\(outcome.errors)",
    sourceLocation: sourceLocation)
}
