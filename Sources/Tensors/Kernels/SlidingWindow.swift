/// A square window that slides over a square map, and which input each of its taps sees where.
///
/// Maps are stored channels last: `[images, side · side, channels]`, which is a token tensor, so that
/// a 1 x 1 convolution is a linear map and a tap moves a run of channels.
public struct SlidingWindow: Sendable, Equatable {
  /// Height and width of the input.
  public let side: Int
  public let kernel: Int
  public let stride: Int
  /// Zeros around the input.
  public let padding: Int

  public init(side: Int, kernel: Int, stride: Int, padding: Int) {
    precondition(
      side > 0 && kernel > 0 && stride > 0 && (0..<kernel).contains(padding)
        && side + 2 * padding >= kernel,
      "no window of \(kernel), stride \(stride), padding \(padding) on a side of \(side)")
    self.side = side
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
  }

  /// Height and width of the output.
  public var output: Int { (side + 2 * padding - kernel) / stride + 1 }
  /// Rows of one image's input and output.
  public var inputs: Int { side * side }
  public var outputs: Int { output * output }
  /// Positions of the window.
  public var taps: Int { kernel * kernel }
}

/// A walk along one axis: taps, and the places in the other map that belong to them.
struct TapWalk {
  var tap: Int
  var tapStep: Int
  var place: Int
  var placeStep: Int
  var count: Int
}

extension SlidingWindow {
  /// The taps of output `index` that lie on the map, with the inputs they see.
  @inline(__always) func inputs(of index: Int) -> TapWalk {
    let start = index * stride - padding
    let first = max(0, -start)
    return TapWalk(
      tap: first, tapStep: 1, place: start + first, placeStep: 1,
      count: min(kernel, side - start) - first)
  }

  /// The taps through which input `index` is seen, with the outputs that see it.
  @inline(__always) func outputs(of index: Int) -> TapWalk {
    let reach = index + padding
    let lowest = max(0, reach - stride * (output - 1))
    let tap = lowest + (reach - lowest) % stride
    let highest = min(kernel - 1, reach)
    return TapWalk(
      tap: tap, tapStep: stride, place: (reach - tap) / stride, placeStep: -1,
      count: tap > highest ? 0 : (highest - tap) / stride + 1)
  }

  /// The outputs for which tap `tap` lies on the map.
  @inline(__always) func outputs(tap: Int) -> Range<Int> {
    let first = max(0, padding - tap + stride - 1) / stride
    let last = side - 1 + padding - tap
    return last < 0 ? first..<first : first..<max(first, min(output, last / stride + 1))
  }
}

// MARK: Windows as matrix rows

extension SlidingWindow {
  /// Writes the windows of output lines `lines`, counted over all images, as rows of
  /// `taps · channels` in the order (row, column, channel); zeros beside the map.
  public func gather(
    _ map: UnsafePointer<Float>, channels: Int, lines: Range<Int>,
    into rows: UnsafeMutablePointer<Float>
  ) {
    forEachRun(lines, channels) { row, run, isWhole in
      if !isWhole { row.clear(rows, taps * channels) }
      row.forEachLine { place, entry in copyRun(map + place, to: rows + entry, count: run) }
    }
  }

  /// The transpose of `gather`: adds every row to the inputs it came from.
  public func scatter(
    _ rows: UnsafePointer<Float>, channels: Int, lines: Range<Int>,
    addingTo map: UnsafeMutablePointer<Float>
  ) {
    forEachRun(lines, channels) { row, run, _ in
      row.forEachLine { place, entry in
        Elementwise.add(rows + entry, to: map + place, count: run)
      }
    }
  }

  /// One row of the matrix: where its runs of adjacent taps begin, here and in the map.
  private struct WindowRow {
    let start: Int
    var place: Int
    let placeStep: Int
    var entry: Int
    let entryStep: Int
    let count: Int

    @inline(__always) func clear(_ rows: UnsafeMutablePointer<Float>, _ width: Int) {
      (rows + start).update(repeating: 0, count: width)
    }

    @inline(__always) func forEachLine(_ body: (_ place: Int, _ entry: Int) -> Void) {
      for line in 0..<count { body(place + line * placeStep, entry + line * entryStep) }
    }
  }

  @inline(__always) private func forEachRun(
    _ lines: Range<Int>, _ channels: Int,
    _ body: (_ row: WindowRow, _ run: Int, _ isWhole: Bool) -> Void
  ) {
    var start = 0
    for line in lines {
      let down = inputs(of: line % output)
      let top = line / output * side + down.place
      for x in 0..<output {
        let across = inputs(of: x)
        let row = WindowRow(
          start: start, place: (top * side + across.place) * channels,
          placeStep: side * channels,
          entry: start + (down.tap * kernel + across.tap) * channels,
          entryStep: kernel * channels, count: down.count)
        body(row, across.count * channels, down.count == kernel && across.count == kernel)
        start += taps * channels
      }
    }
  }
}

/// A short copy: a call of the library's would cost as much as the copy.
@inline(__always) private func copyRun(
  _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int
) {
  let whole = count & ~15
  var index = 0
  while index < whole {
    y.store(x.lanes(index), index)
    index += 16
  }
  if index < count { y.store(x.lanes(index, first: count - index), index, first: count - index) }
}
