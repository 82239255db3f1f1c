/// Where the main thread of a rank notes what it does: two words of memory and a reading of the clock a
/// mark, no allocation, no system call.
public struct Marks: Sendable {
  private let board: FlightBoard?
  private let slot: Int
  private let fault: TrainingFault?

  /// Notes nothing.
  public static let none = Marks(nil, slot: 0, fault: nil)

  init(_ board: FlightBoard?, slot: Int, fault: TrainingFault?) {
    self.board = board
    self.slot = slot
    self.fault = fault
  }

  /// The marks that follow belong to this step, counted from 1.
  public func begin(step: Int) { board?.store(.step, UInt64(step), of: slot) }

  /// This rank is in a phase now; `detail` says in which part of it.
  public func callAsFunction(_ phase: FlightPhase, _ detail: Int = 0) {
    guard let board else { return }
    board.mark(phase, detail, slot: slot)
    if let fault { fault.strike(phase, step: Int(board.load(.step, of: slot))) }
  }
}
