/// The greatest value of a sliding window, channel by channel, on maps `[images, side², channels]`.
/// Padding never wins, a NaN always does, and of equal values the first in row-major order counts.
public struct MaxPooling {
  public let window: SlidingWindow
  public let channels: Int

  public init(_ window: SlidingWindow, channels: Int) {
    self.window = window
    self.channels = channels
  }

  public func forward(
    _ x: UnsafePointer<Float>, images: Int, into y: UnsafeMutablePointer<Float>
  ) {
    forEachWindow(images) { down, across, input, output in
      forEachLanes(channels) { channel, n in
        let (best, _) = greatest(x + (input + channel), down, across, n)
        (y + output).store(best, channel, first: n)
      }
    }
  }

  /// dx ← dx + dy where x was the greatest of the window.
  public func backward(
    _ x: UnsafePointer<Float>, gradient dy: UnsafePointer<Float>, images: Int,
    addingTo dx: UnsafeMutablePointer<Float>
  ) {
    forEachWindow(images) { down, across, input, output in
      forEachLanes(channels) { channel, n in
        let (_, winner) = greatest(x + (input + channel), down, across, n)
        let g = (dy + output).part(channel, n)
        forEachTap(down, across) { number, offset in
          let place = input + offset + channel
          let share = Lanes.zero.replacing(with: g, where: winner .== Float(number))
          dx.store(dx.lanes(place, first: n) + share, place, first: n)
        }
      }
    }
  }

  /// The greatest values of a window, and the number of the tap that has each.
  @inline(__always) private func greatest(
    _ x: UnsafePointer<Float>, _ down: TapWalk, _ across: TapWalk, _ n: Int
  ) -> (best: Lanes, winner: Lanes) {
    var best = x.part(0, n)
    var winner = Lanes.zero
    forEachTap(down, across) { number, offset in
      let value = x.part(offset, n)
      let wins = (value .> best) .| (value .!= value)
      best.replace(with: value, where: wins)
      winner.replace(with: Lanes(repeating: Float(number)), where: wins)
    }
    return (best, winner)
  }

  /// Taps on the map, numbered from 0, with their distance from the first.
  @inline(__always) private func forEachTap(
    _ down: TapWalk, _ across: TapWalk, _ body: (_ number: Int, _ offset: Int) -> Void
  ) {
    for line in 0..<down.count {
      for column in 0..<across.count {
        body(line * across.count + column, (line * window.side + column) * channels)
      }
    }
  }

  @inline(__always) private func forEachWindow(
    _ images: Int,
    _ body: (_ down: TapWalk, _ across: TapWalk, _ input: Int, _ output: Int) -> Void
  ) {
    for image in 0..<images {
      for row in 0..<window.output {
        let down = window.inputs(of: row)
        for column in 0..<window.output {
          let across = window.inputs(of: column)
          let input = image * window.inputs + down.place * window.side + across.place
          let output = image * window.outputs + row * window.output + column
          body(down, across, input * channels, output * channels)
        }
      }
    }
  }
}
