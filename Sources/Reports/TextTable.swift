/// A table in plain text: columns two spaces apart, words flush left, numbers flush right.
public struct TextTable: Sendable {
  private let headers: [String]
  private var rows: [[String]] = []

  public init(_ headers: [String]) { self.headers = headers }

  /// Adds a row; it must have one cell a column.
  public mutating func append(_ cells: [String]) {
    precondition(cells.count == headers.count, "\(cells.count) cells for \(headers.count) columns")
    rows.append(cells)
  }

  /// Header, a rule, the rows; no spaces at line ends.
  public var text: String {
    let columns = headers.indices.map { column in rows.map { $0[column] } }
    let widths = headers.indices.map { column in
      (columns[column] + [headers[column]]).map(\.count).max() ?? 0
    }
    let numeric = columns.map { cells in
      cells.contains { !$0.isEmpty } && cells.allSatisfy { $0.isEmpty || isNumber($0) }
    }
    func line(_ cells: [String]) -> String {
      var line = zip(zip(cells, widths), numeric).map { cell, isNumeric in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return isNumeric ? space + cell.0 : cell.0 + space
      }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
    let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
    return ([line(headers), rule] + rows.map(line)).joined(separator: "\n") + "\n"
  }
}

/// A number, with a unit behind it or not: `12`, `-3.5e-4`, `87.1 %`, `3.2x`.
private func isNumber(_ cell: String) -> Bool {
  let start = cell.drop { "+-.<>~ ".contains($0) }
  return start.first?.isNumber ?? false
}
