/// Operations on 8-bit pictures that look every byte up in a table, as Pillow's `ImageOps`. All
/// work in place.
package enum LookupOperations {
  package static func invert(_ picture: Picture) { solarize(picture, threshold: 0) }

  /// Inverts the bytes that are not below `threshold` (0...256).
  package static func solarize(_ picture: Picture, threshold: Int) {
    map(picture) { $0 < threshold ? $0 : 255 - $0 }
  }

  /// Adds `amount` to the bytes below 128.
  package static func solarizeAdd(_ picture: Picture, amount: Int) {
    map(picture) { $0 < 128 ? min(255, $0 + amount) : $0 }
  }

  /// Keeps the `bits` highest bits of every byte; 0 leaves black.
  package static func posterize(_ picture: Picture, bits: Int) {
    let mask = 0xFF & ~((1 << (8 - bits)) - 1)
    map(picture) { $0 & mask }
  }

  /// Stretches every channel so that its darkest byte is 0 and its lightest 255.
  package static func autoContrast(_ picture: Picture) {
    mapChannels(picture) { histogram, table in
      guard let low = histogram.firstIndex(where: { $0 > 0 }),
        let high = histogram.lastIndex(where: { $0 > 0 }), high > low
      else { return }
      let scale = 255 / Double(high - low)
      let offset = -Double(low) * scale
      for i in 0..<256 { table[i] = UInt8(min(max(Int(Double(i) * scale + offset), 0), 255)) }
    }
  }

  /// Makes every channel's histogram as even as a table can.
  package static func equalize(_ picture: Picture) {
    mapChannels(picture) { histogram, table in
      guard let last = histogram.lastIndex(where: { $0 > 0 }),
        histogram.firstIndex(where: { $0 > 0 }) != last
      else { return }
      let step = (histogram.reduce(0, +) - histogram[last]) / 255
      guard step > 0 else { return }
      var sum = step / 2
      for i in 0..<256 {
        table[i] = UInt8(min(sum / step, 255))
        sum += histogram[i]
      }
    }
  }

  private static func map(_ picture: Picture, _ value: (Int) -> Int) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { table in
      for i in 0..<256 { table[i] = UInt8(truncatingIfNeeded: value(i)) }
      let bytes = picture.pointer
      for i in 0..<picture.count { bytes[i] = table[Int(bytes[i])] }
    }
  }

  private static func mapChannels(
    _ picture: Picture,
    _ fill: (UnsafeMutableBufferPointer<Int>, UnsafeMutableBufferPointer<UInt8>) -> Void
  ) {
    let (bytes, count, channels) = (picture.pointer, picture.count, picture.channels)
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { histogram in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { table in
        for channel in 0..<channels {
          for i in 0..<256 { (histogram[i], table[i]) = (0, UInt8(truncatingIfNeeded: i)) }
          for i in stride(from: channel, to: count, by: channels) {
            histogram[Int(bytes[i])] &+= 1
          }
          fill(histogram, table)
          for i in stride(from: channel, to: count, by: channels) {
            bytes[i] = table[Int(bytes[i])]
          }
        }
      }
    }
  }
}
