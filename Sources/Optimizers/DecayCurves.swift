import Configuration
import Glibc

/// ½(1 + cos πp) (Loshchilov and Hutter, ICLR 2017, without restarts).
public enum CosineDecay: DecayCurve {
  public static let kind = "cosine"
  public static let about = "Warm-up, then half a cosine down to the floor"
  public static let reachesMinimum = true
  public static func value(at progress: Double) -> Double { 0.5 * (1 + cos(.pi * progress)) }
}

/// 1 − p.
public enum LinearDecay: DecayCurve {
  public static let kind = "linear"
  public static let about = "Warm-up, then a straight line down to the floor"
  public static let reachesMinimum = true
  public static func value(at progress: Double) -> Double { 1 - progress }
}

/// 1.
public enum NoDecay: DecayCurve {
  public static let kind = "constant"
  public static let about = "Warm-up, then the same rate to the end"
  public static let reachesMinimum = false
  public static func value(at progress: Double) -> Double { 1 }
}

extension CatalogEntry<any Schedule> {
  public static var cosine: Self { Self(WarmupSchedule<CosineDecay>.self) { $0 } }
  public static var linear: Self { Self(WarmupSchedule<LinearDecay>.self) { $0 } }
  public static var constant: Self { Self(WarmupSchedule<NoDecay>.self) { $0 } }
}
