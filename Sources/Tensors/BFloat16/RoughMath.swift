/// Elementary functions for results that are rounded to bfloat16.
package enum RoughMath {
  /// 2^y for y ≤ 0, from -126 on, relative error 7.6e-5: y = n + r, |r| ≤ ½, where adding 1.5 · 2²³ rounds to
  /// an integer whose low bits are then the exponent. NaN stays NaN.
  @inline(__always) package static func power(_ y: SIMD16<Float>) -> SIMD16<Float> {
    let y = y.replacing(with: Lanes(repeating: -126), where: y .< -126)
    let magic = Lanes(repeating: 12_582_912)
    let shifted = magic + y
    let r = y - (shifted - magic)
    var p = Lanes(repeating: 0.055_170_86)
    p = Lanes(repeating: 0.242_610_33).addingProduct(p, r)
    p = Lanes(repeating: 0.693_261_03).addingProduct(p, r)
    p = Lanes(repeating: 0.999_928_13).addingProduct(p, r)
    let bits = unsafeBitCast(shifted, to: SIMD16<Int32>.self)
    let exponent = (bits &<< 23) &+ SIMD16<Int32>(repeating: 0x3F80_0000)
    return p * unsafeBitCast(exponent, to: Lanes.self)
  }
}
