import Foundation

/// Curves over one pair of axes, drawn as SVG.
///
/// A curve of many points is drawn faintly as it is, and boldly as its running mean.
public struct LineChart: Sendable {
  /// A name for the legend and points from left to right; those that are not finite are left out.
  public struct Curve: Sendable {
    public let name: String
    public let points: [(x: Double, y: Double)]

    public init(_ name: String, _ points: [(x: Double, y: Double)]) {
      self.name = name
      self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
    }
  }

  public let title: String
  public let horizontal: String
  public let vertical: String
  public let curves: [Curve]

  public init(title: String, horizontal: String, vertical: String, curves: [Curve]) {
    self.title = title
    self.horizontal = horizontal
    self.vertical = vertical
    self.curves = curves.filter { !$0.points.isEmpty }
  }

  static let width = 560.0
  static let height = 380.0
  private static let plot = (left: 64.0, top: 66.0, right: 544.0, bottom: 332.0)
  /// Distinct to colour-blind readers as well (Okabe and Ito, 2008).
  private static let colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
  /// From this many points on, a curve is noise that a running mean makes readable.
  private static let dense = 150

  /// The chart as a complete document.
  public var svg: String { Self.document([self]) }

  /// Charts side by side, with one horizontal axis for all, so that they can be read across.
  public static func document(_ charts: [LineChart]) -> String {
    let size = "\(number(width * Double(charts.count))) \(number(height))"
    let across = Axis(
      holding: charts.flatMap { $0.curves.flatMap { $0.points.map(\.x) } }, ticks: 8)
    let panels = charts.enumerated().map {
      "<g transform=\"translate(\(number(Double($0.offset) * width)),0)\">\n"
        + $0.element.panel(number: $0.offset, across) + "</g>\n"
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size)" \
      width="\(number(width * Double(charts.count)))" height="\(number(height))" \
      font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#333333">
      <rect width="100%" height="100%" fill="#ffffff"/>
      \(panels.joined())</svg>

      """
  }

  private func panel(number index: Int, _ across: Axis) -> String {
    let up = Axis(holding: curves.flatMap(Self.representativeValues), ticks: 6)
    let plot = Self.plot
    var text = "<text x=\"\(number(plot.left))\" y=\"24\" font-size=\"15\" font-weight=\"bold\">"
    text += escaped(title) + "</text>\n" + legend() + grid(across, up)
    text += "<clipPath id=\"plot\(index)\"><rect x=\"\(number(plot.left))\" "
    // A line along an edge keeps its whole width.
    text += "y=\"\(number(plot.top - 1))\" width=\"\(number(plot.right - plot.left))\" "
    text += "height=\"\(number(plot.bottom - plot.top + 2))\"/></clipPath>\n"
    text += "<g clip-path=\"url(#plot\(index))\" fill=\"none\" stroke-linejoin=\"round\">\n"
    for (number, curve) in curves.enumerated() {
      let colour = Self.colours[number % Self.colours.count]
      if curve.points.count >= Self.dense {
        text += path(thinned(curve.points), colour, across, up, width: 1, opacity: 0.25)
        text += path(thinned(smoothed(curve.points)), colour, across, up, width: 2, opacity: 1)
      } else {
        text += path(curve.points, colour, across, up, width: 2, opacity: 1)
      }
    }
    return text + "</g>\n"
  }

  /// A few wild points of a noisy curve must not squeeze all others into a line.
  private static func representativeValues(_ curve: Curve) -> [Double] {
    let values = curve.points.map(\.y).sorted()
    guard values.count >= dense else { return values }
    return Array(values[values.count / 200..<values.count - values.count / 200])
  }

  /// One row of names, or two where they do not fit.
  private func legend() -> String {
    let widths = curves.map { 44 + 6.7 * Double($0.name.count) }
    let isShort = Self.plot.left + widths.reduce(0, +) <= Self.plot.right + 20
    var (left, line) = (Self.plot.left, isShort ? 44.0 : 38.0)
    var text = ""
    for (index, curve) in curves.enumerated() {
      if left + widths[index] > Self.plot.right + 20, left > Self.plot.left {
        (left, line) = (Self.plot.left, 54)
      }
      let colour = Self.colours[index % Self.colours.count]
      text += "<path d=\"M\(number(left)) \(number(line))h18\" stroke=\"\(colour)\" "
      text += "stroke-width=\"3\"/><text x=\"\(number(left + 24))\" y=\"\(number(line + 4))\">"
      text += "\(escaped(curve.name))</text>\n"
      left += widths[index]
    }
    return text
  }

  private func grid(_ across: Axis, _ up: Axis) -> String {
    let plot = Self.plot
    var lines = ""
    var labels = ""
    for tick in up.ticks {
      let y = number(plot.bottom - up.position(tick) * (plot.bottom - plot.top))
      lines += "M\(number(plot.left)) \(y)H\(number(plot.right))"
      labels += "<text x=\"\(number(plot.left - 8))\" y=\"\(y)\" dy=\"4\" text-anchor=\"end\">"
      labels += "\(up.label(tick))</text>\n"
    }
    var marks = ""
    for tick in across.ticks {
      let x = number(plot.left + across.position(tick) * (plot.right - plot.left))
      marks += "M\(x) \(number(plot.bottom))v5"
      labels += "<text x=\"\(x)\" y=\"\(number(plot.bottom + 19))\" text-anchor=\"middle\">"
      labels += "\(across.label(tick))</text>\n"
    }
    let middle = (x: (plot.left + plot.right) / 2, y: (plot.top + plot.bottom) / 2)
    return """
      <path d="\(lines)" stroke="#e4e4e4"/>
      <path d="M\(number(plot.left)) \(number(plot.bottom))H\(number(plot.right))\(marks)" \
      stroke="#777777" fill="none"/>
      \(labels)<text x="\(number(middle.x))" y="\(number(plot.bottom + 38))" \
      text-anchor="middle">\(escaped(horizontal))</text>
      <text transform="translate(16,\(number(middle.y))) rotate(-90)" \
      text-anchor="middle">\(escaped(vertical))</text>

      """
  }

  private func path(
    _ points: [(x: Double, y: Double)], _ colour: String, _ across: Axis, _ up: Axis,
    width: Double, opacity: Double
  ) -> String {
    let plot = Self.plot
    let places = points.map { point in
      let x = plot.left + across.position(point.x) * (plot.right - plot.left)
      let y = plot.bottom - up.position(point.y) * (plot.bottom - plot.top)
      return "\(number(x)) \(number(y))"
    }
    if places.count == 1 {
      let place = places[0].split(separator: " ")
      return "<circle cx=\"\(place[0])\" cy=\"\(place[1])\" r=\"3\" fill=\"\(colour)\"/>\n"
    }
    return "<path d=\"M\(places.joined(separator: "L"))\" stroke=\"\(colour)\" "
      + "stroke-width=\"\(number(width))\" stroke-opacity=\"\(number(opacity))\"/>\n"
  }
}

/// Two decimals at most, none where none are needed.
private func number(_ value: Double) -> String {
  var text = String(format: "%.2f", value)
  while text.last == "0" { text.removeLast() }
  if text.last == "." { text.removeLast() }
  return text == "-0" ? "0" : text
}

private func escaped(_ text: String) -> String {
  text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
}
