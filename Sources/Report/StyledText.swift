/// Text with a style per piece: laid out by visible width first, coloured last, so that escapes never count as columns.
package struct StyledText: Sendable, Hashable, ExpressibleByStringLiteral {
    package enum Style: String, Sendable, Hashable {
        case plain = "0"
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
        case boldRed = "1;31"
        case boldGreen = "1;32"
        case boldYellow = "1;33"
    }

    private var pieces: [(text: String, style: Style)] = []

    package init(_ text: String = "", _ style: Style = .plain) {
        append(text, style)
    }

    package init(stringLiteral text: String) {
        self.init(text)
    }

    package static func == (left: StyledText, right: StyledText) -> Bool {
        left.pieces.elementsEqual(right.pieces) { $0 == $1 }
    }

    package func hash(into hasher: inout Hasher) {
        for piece in pieces { hasher.combine(piece.text) }
    }

    package mutating func append(_ text: String, _ style: Style = .plain) {
        if !text.isEmpty { pieces.append((StyledText.harmless(text), style)) }
    }

    package static func + (left: StyledText, right: StyledText) -> StyledText {
        var sum = left
        sum.pieces += right.pieces
        return sum
    }

    /// Columns on a terminal; every character counts as one (names of systems are seldom wide).
    package var width: Int { pieces.reduce(0) { $0 + $1.text.count } }

    /// Filled up with spaces to a width.
    package func padded(_ width: Int) -> StyledText {
        self + StyledText(String(repeating: " ", count: max(0, width - self.width)))
    }

    /// The text for a terminal, cut at `width` with an ellipsis.
    package func rendered(width limit: Int, colour: Bool) -> String {
        var left = limit
        var output = ""
        for (index, piece) in pieces.enumerated() where left > 0 {
            let isLast = index == pieces.count - 1
            var text = piece.text
            if text.count > left
                || (text.count == left && !isLast && pieces[(index + 1)...].contains { !$0.text.isEmpty })
            {
                text = String(text.prefix(left - 1)) + "…"
                left = 0
            } else {
                left -= text.count
            }
            output += colour && piece.style != .plain ? "\u{1B}[\(piece.style.rawValue)m\(text)\u{1B}[0m" : text
        }
        guard !colour else { return output }
        return String(output.reversed().drop { $0 == " " }.reversed())
    }

    /// Messages of other programs must not move the cursor or change colours.
    private static func harmless(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else { return text }
        return String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
    }
}
