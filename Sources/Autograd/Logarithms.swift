import Glibc

/// Double-precision exp and log of the C library: for the few scalars of a loss, where correct
/// rounding to float hides the last bit of whichever libm there is.
func exponential(_ x: Double) -> Double { exp(x) }
func logarithm(_ x: Double) -> Double { log(x) }
