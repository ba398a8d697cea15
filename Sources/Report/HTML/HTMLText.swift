/// Text made safe for HTML, in elements and in quoted attributes alike.
func html(_ text: String) -> String {
    var escaped = ""
    escaped.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": escaped += "&amp;"
        case "<": escaped += "&lt;"
        case ">": escaped += "&gt;"
        case "\"": escaped += "&quot;"
        case "'": escaped += "&#39;"
        // HTML has no place for control characters besides white space.
        case "\u{0}"..<"\u{9}", "\u{B}", "\u{C}", "\u{E}"..<"\u{20}", "\u{7F}": escaped += "\u{FFFD}"
        default: escaped.unicodeScalars.append(scalar)
        }
    }
    return escaped
}

/// A table with a header row; cells are HTML already. `numeric` columns are set flush right.
func table(_ name: String, _ header: [String], _ rows: [[String]], numeric: Set<Int> = []) -> String {
    func cell(_ element: String, _ column: Int, _ content: String) -> String {
        let scope = element == "th" ? " scope=\"col\"" : ""
        return "<\(element)\(scope)\(numeric.contains(column) ? " class=\"num\"" : "")>\(content)</\(element)>"
    }
    let head = header.enumerated().map { cell("th", $0.offset, $0.element) }.joined()
    let body = rows.map { row in
        "<tr>\(row.enumerated().map { cell("td", $0.offset, $0.element) }.joined())</tr>"
    }
    return "<div class=\"scroll\"><table class=\"\(name)\"><thead><tr>\(head)</tr></thead><tbody>\n"
        + body.joined(separator: "\n") + "\n</tbody></table></div>\n"
}

/// A number for an SVG path: no more digits than a screen can show.
func coordinate(_ value: Double) -> String {
    let rounded = (value * 10).rounded()
    guard rounded.isFinite, rounded.magnitude < 1e15 else { return "0" }
    let tenths = Int64(rounded)
    return tenths % 10 == 0
        ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
}
