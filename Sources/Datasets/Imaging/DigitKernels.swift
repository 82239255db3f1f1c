import CPixels

// The sums of `ResampleKernels` by instructions that add up four products of bytes: each digit of the
// weights has a sum of its own, and together they are the same integers.

/// Four rows at once. Rows past the last are the last again.
func resampleFourRowsByDigits(
  _ source: PictureView, from y: Int, _ pass: ResampleWeights, into target: Picture
) {
  let last = source.height - 1
  let rows = SIMD4<Int>(y, min(y + 1, last), min(y + 2, last), min(y + 3, last))
  let inputs = rows &* source.rowBytes
  let outputs = rows &* target.rowBytes
  let input = UnsafeRawPointer(source.pointer)
  let output = UnsafeMutableRawPointer(target.pointer)
  let (in0, in1) = (input + inputs[0], input + inputs[1])
  let (in2, in3) = (input + inputs[2], input + inputs[3])
  let (out0, out1) = (output + outputs[0], output + outputs[1])
  let (out2, out3) = (output + outputs[2], output + outputs[3])
  let (first, quadruples, count) = (pass.first, pass.quadruples, target.width)
  pass.digits.withUnsafeBufferPointer { digits in
    guard var digit = digits.baseAddress else { return }
    for x in 0..<count {
      var sums = DigitSums()
      var at = 3 &* Int(truncatingIfNeeded: first[x])
      for _ in 0..<quadruples {
        sums.add(cpixels_pixels_of_rows(in0 + at, in1 + at, in2 + at, in3 + at), digit)
        at &+= 12
        digit += 3
      }
      let words = unsafeBitCast(cpixels_bytes(sums.total), to: SIMD4<UInt32>.self)
      let (place, isLast) = (3 &* x, x == count &- 1)
      storePixel(words[0], at: out0 + place, isLast)
      storePixel(words[1], at: out1 + place, isLast)
      storePixel(words[2], at: out2 + place, isLast)
      storePixel(words[3], at: out3 + place, isLast)
    }
  }
}

/// See `resampleColumns`.
func resampleColumnsByDigits(
  _ source: PictureView, _ pass: ResampleWeights, firstRow: Int, into target: Picture
) {
  let (taps, quadruples) = (pass.taps, pass.quadruples)
  pass.digits.withUnsafeBufferPointer { digits in
    guard let base = digits.baseAddress else { return }
    for y in 0..<target.height {
      let start = UnsafeRawPointer(
        source.pointer + (Int(pass.first[y]) - firstRow) * source.rowBytes)
      let out = UnsafeMutableRawPointer(target.pointer + y * target.rowBytes)
      var x = 0
      while x < target.rowBytes {
        sumSixtyFour(
          start + x, source.rowBytes, taps, base + 3 * quadruples * y, into: out + x)
        x += 64
      }
    }
  }
}

/// Sixty-four neighbouring bytes, their sums kept in registers.
@inline(__always)
private func sumSixtyFour(
  _ source: UnsafeRawPointer, _ rowBytes: Int, _ taps: Int, _ digits: UnsafePointer<Int32>,
  into out: UnsafeMutableRawPointer
) {
  var (a, b, c, d) = (DigitSums(), DigitSums(), DigitSums(), DigitSums())
  var digit = digits
  for tap in stride(from: 0, to: taps, by: 4) {
    // Rows past the last have weight 0.
    let (row, left) = (source + tap * rowBytes, taps - 1 - tap)
    let row1 = row + min(1, left) * rowBytes
    let row2 = row + min(2, left) * rowBytes
    let row3 = row + min(3, left) * rowBytes
    a.add(cpixels_columns_of_rows(row, row1, row2, row3, 0), digit)
    b.add(cpixels_columns_of_rows(row, row1, row2, row3, 1), digit)
    c.add(cpixels_columns_of_rows(row, row1, row2, row3, 2), digit)
    d.add(cpixels_columns_of_rows(row, row1, row2, row3, 3), digit)
    digit += 3
  }
  cpixels_store_bytes(a.total, b.total, c.total, d.total, out)
}

/// Sums of products with each of the three digits of a weight.
private struct DigitSums {
  private var low = Sums16(repeating: half)
  private var middle = Sums16.zero
  private var high = Sums16.zero

  @inline(__always)
  mutating func add(_ bytes: Sums16, _ digits: UnsafePointer<Int32>) {
    low = cpixels_dot_bytes(low, bytes, digits[0])
    middle = cpixels_dot_bytes(middle, bytes, digits[1])
    high = cpixels_dot_bytes(high, bytes, digits[2])
  }

  @inline(__always) var total: Sums16 { cpixels_total(low, middle, high) }
}
