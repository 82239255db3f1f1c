// Sums of products in 32-bit integers, started at one half and shifted down by 22 bits. Stores may
// run up to `Picture.slack` bytes past a row: the next row, or the slack, is written later or never.

private typealias Bytes16 = SIMD16<UInt8>
private typealias Sums4 = SIMD4<Int32>
typealias Sums16 = SIMD16<Int32>

let half = Int32(1) << (ResampleWeights.fractionBits - 1)

/// Every row of `source` at the width of `target`.
func resampleRows(_ source: PictureView, _ pass: ResampleWeights, into target: Picture) {
  guard source.channels == 3 else {
    for y in 0..<source.height {
      resampleGreyRow(
        source.pointer + y * source.rowBytes, pass, into: target.pointer + y * target.rowBytes,
        count: target.width)
    }
    return
  }
  for y in stride(from: 0, to: source.height, by: 4) {
    if pass.hasDigits {
      resampleFourRowsByDigits(source, from: y, pass, into: target)
    } else {
      resampleFourRows(source, from: y, pass, into: target)
    }
  }
}

/// Four rows at once, so that a weight is loaded once for all. Rows past the last are the last again.
private func resampleFourRows(
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
  let (first, taps, count) = (pass.first, pass.taps, target.width)
  var weights = pass.weights
  for x in 0..<count {
    let start = Sums4(repeating: half)
    var (sum0, sum1, sum2, sum3) = (start, start, start, start)
    var at = 3 &* Int(truncatingIfNeeded: first[x])
    for tap in 0..<taps {
      let weight = weights[tap]
      sum0 &+= pixel(in0 + at) &* weight
      sum1 &+= pixel(in1 + at) &* weight
      sum2 &+= pixel(in2 + at) &* weight
      sum3 &+= pixel(in3 + at) &* weight
      at &+= 3
    }
    let isLast = x == count &- 1
    let out = output + 3 &* x
    store(sum0, at: out + outputs[0], isLast)
    store(sum1, at: out + outputs[1], isLast)
    store(sum2, at: out + outputs[2], isLast)
    store(sum3, at: out + outputs[3], isLast)
    weights += taps
  }
}

/// Red, green and blue, and in the fourth lane the red of the next pixel.
@inline(__always)
private func pixel(_ bytes: UnsafeRawPointer) -> Sums4 {
  let word = bytes.loadUnaligned(as: UInt32.self)
  return Sums4(truncatingIfNeeded: unsafeBitCast(word, to: SIMD4<UInt8>.self))
}

@inline(__always)
private func store(_ sums: Sums4, at out: UnsafeMutableRawPointer, _ isLast: Bool) {
  let word = unsafeBitCast(SIMD4<UInt8>(truncatingIfNeeded: rounded(sums)), to: UInt32.self)
  storePixel(word, at: out, isLast)
}

/// The fourth byte goes where the next store comes; a row's last pixel has no next.
@inline(__always)
func storePixel(_ word: UInt32, at out: UnsafeMutableRawPointer, _ isLast: Bool) {
  if isLast {
    out.storeBytes(of: UInt16(truncatingIfNeeded: word), as: UInt16.self)
    out.storeBytes(of: UInt8(truncatingIfNeeded: word >> 16), toByteOffset: 2, as: UInt8.self)
  } else {
    out.storeBytes(of: word, as: UInt32.self)
  }
}

private func resampleGreyRow(
  _ row: UnsafePointer<UInt8>, _ pass: ResampleWeights, into out: UnsafeMutablePointer<UInt8>,
  count: Int
) {
  for x in 0..<count {
    let weights = pass.weights + x * pass.taps
    let start = row + Int(pass.first[x])
    var sum = half
    for tap in 0..<pass.taps { sum &+= Int32(truncatingIfNeeded: start[tap]) &* weights[tap] }
    let value = min(max(sum >> ResampleWeights.fractionBits, 0), 255)
    out[x] = UInt8(truncatingIfNeeded: value)
  }
}

/// The rows of `target` as weighted sums of rows of `source`, whose row 0 is input row `firstRow`.
func resampleColumns(
  _ source: PictureView, _ pass: ResampleWeights, firstRow: Int, into target: Picture
) {
  if pass.hasDigits {
    return resampleColumnsByDigits(source, pass, firstRow: firstRow, into: target)
  }
  let rowBytes = target.rowBytes
  for y in 0..<target.height {
    let weights = pass.weights + y * pass.taps
    let start = source.pointer + (Int(pass.first[y]) - firstRow) * source.rowBytes
    let out = UnsafeMutableRawPointer(target.pointer + y * rowBytes)
    var x = 0
    while x < rowBytes {
      sumBlock(UnsafeRawPointer(start + x), source.rowBytes, weights, pass.taps, into: out + x)
      x += 32
    }
  }
}

/// Thirty-two neighbouring bytes at once, their sums kept in registers.
@inline(__always)
private func sumBlock(
  _ source: UnsafeRawPointer, _ rowBytes: Int, _ weights: UnsafePointer<Int32>, _ taps: Int,
  into out: UnsafeMutableRawPointer
) {
  var (low, high) = (Sums16(repeating: half), Sums16(repeating: half))
  var row = source
  for tap in 0..<taps {
    let weight = weights[tap]
    low &+= Sums16(truncatingIfNeeded: row.loadUnaligned(as: Bytes16.self)) &* weight
    high &+= Sums16(truncatingIfNeeded: (row + 16).loadUnaligned(as: Bytes16.self)) &* weight
    row += rowBytes
  }
  out.storeBytes(of: Bytes16(truncatingIfNeeded: rounded(low)), as: Bytes16.self)
  (out + 16).storeBytes(of: Bytes16(truncatingIfNeeded: rounded(high)), as: Bytes16.self)
}

/// Sums without their fraction, in 0...255, by the sign bits of v and of 255 - v: the library's
/// `clamped` and its lane-wise comparisons become loops over lanes.
@inline(__always)
private func rounded<Sums: SIMD>(_ sums: Sums) -> Sums where Sums.Scalar == Int32 {
  let value = sums &>> ResampleWeights.fractionBits
  let isNegative = value &>> 31
  let isLarge = (255 &- value) &>> 31
  return ((value & ~isNegative) | isLarge) & 255
}
