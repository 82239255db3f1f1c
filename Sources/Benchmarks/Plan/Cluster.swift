/// What a plan takes for granted about the nodes and what connects them.
public struct Cluster: Codable, Sendable, Equatable {
  public var ranksPerNode = 1
  /// Bytes a second out of a node, and at the same time into it: 10 GbE by default.
  public var bandwidth = 1.1e9
  /// Seconds from one node to another.
  public var latency = 30e-6
  /// Standard deviation of a rank's compute time, as a part of it.
  public var spread = 0.02
  /// Bytes a second to durable storage, all ranks together.
  public var storage = 500e6
  /// Bytes a second between ranks of a node, where a profile of one rank could not measure it.
  public var memoryTraffic = 6e9

  public init() {}
}
