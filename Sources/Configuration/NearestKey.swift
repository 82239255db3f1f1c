/// The candidate with the fewest edits from `word`, if so few that it may be a misspelling of it.
///
/// Case, `_` and `-` do not count, so that `learning_rate` finds `learningRate`. Among equals the
/// first is taken.
func nearest(_ word: String, among candidates: [String]) -> String? {
  let plain = folded(word)
  let limit = max(1, plain.count / 3)
  let distances = candidates.map { (editDistance(plain, folded($0)), $0) }
  guard let best = distances.min(by: { $0.0 < $1.0 }), best.0 <= limit else { return nil }
  return best.1
}

private func folded(_ word: String) -> [Character] {
  word.lowercased().filter { $0 != "_" && $0 != "-" }.map { $0 }
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal
/// string alignment).
func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
  var beforeLast: [Int] = []
  var last = Array(0...b.count)
  for i in 1...a.count {
    var row = [i]
    for j in 1...b.count {
      let replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
      var least = min(replaced, last[j] + 1, row[j - 1] + 1)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        least = min(least, beforeLast[j - 2] + 1)
      }
      row.append(least)
    }
    (beforeLast, last) = (last, row)
  }
  return last[b.count]
}
