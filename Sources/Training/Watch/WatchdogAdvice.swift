/// What the verdict of a watchdog tells people to do, which depends on the command that it watched.
public struct WatchdogAdvice: Sendable {
  /// What starting the same command again brings, after a space; may be empty.
  let again: String
  /// How the limit is spelled.
  let limit: String

  public static let training = WatchdogAdvice(
    again: " to go on from the last checkpoint", limit: "watchdog.limitSeconds")
  public static let evaluation = WatchdogAdvice(again: "", limit: "--watchdog-limit")
}
