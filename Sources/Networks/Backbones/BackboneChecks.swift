import Configuration

/// Checks that the options of several backbones share.
enum BackboneChecks {
  static func positive(_ values: [(key: String, value: Int)]) throws {
    for (key, value) in values where value < 1 {
      throw ConfigurationError(key, "is \(value)", remedy: "Give a positive integer")
    }
  }

  /// The front of both families halves the side four times.
  static func sixteenths(imageSize: Int) throws {
    guard imageSize % 16 == 0 else {
      throw ConfigurationError(
        "imageSize", "\(imageSize) is not a multiple of 16",
        remedy: "Give \(max(16, (imageSize + 8) / 16 * 16)), say")
    }
  }

  static func heads(_ heads: Int, divide width: Int, keys: (heads: String, width: String)) throws {
    guard width % heads == 0 else {
      throw ConfigurationError(
        keys.heads, "\(heads) heads do not divide \(keys.width) \(width)",
        remedy: "Choose a number of heads that divides the width")
    }
  }

  static func rest(
    classes: Int, hidden: Int, mlpRatio: Double, dropPath: Double, epsilon: Float
  ) throws {
    guard classes >= 2 else {
      throw ConfigurationError(
        "classes", "is \(classes)", remedy: "A classifier needs at least 2 classes")
    }
    guard mlpRatio > 0, hidden >= 1 else {
      throw ConfigurationError("mlpRatio", "is \(mlpRatio)", remedy: "Give a positive ratio")
    }
    guard (0...1).contains(dropPath) else {
      throw ConfigurationError(
        "dropPath", "is \(dropPath)", remedy: "Give a rate from 0 to 1")
    }
    guard epsilon > 0 else {
      throw ConfigurationError("epsilon", "is \(epsilon)", remedy: "Give a positive number")
    }
  }
}
