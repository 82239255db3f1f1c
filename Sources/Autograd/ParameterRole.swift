/// Who changes a parameter, and by what.
public enum ParameterRole: Sendable, Equatable {
  /// The optimizer, along the gradient: the model's learnable arrays.
  case weight
  /// A running statistic of the model (batch normalisation). What a tape adds up in place of its
  /// gradient is the statistic of the global batch, toward which the training step moves it.
  case statistic
  /// An array that the objective trains against the model (RSPC's corruption model): a rule of its
  /// own moves it, and it is left out of what is averaged, exported and counted.
  case adversary
}
