import Autograd

extension ParameterSlab {
  /// Sets every parameter to the values that the oracle gave it.
  public func fillWithCountedValues() {
    for entry in layout.entries {
      CountedValues.fill(self[entry].pointer, parameter: entry.name, shape: entry.shape.extents)
    }
  }
}
