/// The known word a person most likely meant: at most a third of its letters wrong (transpositions count once).
package func suggestion(for word: String, among known: [String]) -> String? {
    let limit = max(1, word.count / 3)
    return known.map { ($0, editDistance(Array(word), Array($0))) }
        .filter { $0.1 <= limit }
        .min { $0.1 < $1.1 }?.0
}

/// Optimal string alignment distance (Damerau): insertions, deletions, substitutions, adjacent transpositions.
private func editDistance(_ left: [Character], _ right: [Character]) -> Int {
    if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
    var rows = [Array(0...right.count)]
    for i in 1...left.count {
        var row = [i] + [Int](repeating: 0, count: right.count)
        for j in 1...right.count {
            let substitution = rows[i - 1][j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1)
            row[j] = min(rows[i - 1][j] + 1, row[j - 1] + 1, substitution)
            if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                row[j] = min(row[j], rows[i - 2][j - 2] + 1)
            }
        }
        rows.append(row)
    }
    return rows[left.count][right.count]
}
