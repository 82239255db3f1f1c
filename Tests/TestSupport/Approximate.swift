/// Reasons stand where a tolerance is used.
public func isClose(_ a: Float, _ b: Float, absolute: Float, relative: Float = 0) -> Bool {
  abs(a - b) <= absolute + relative * max(abs(a), abs(b))
}
