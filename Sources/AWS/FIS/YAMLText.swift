/// A piece of an experiment file that is being written.
indirect enum YAMLText: Sendable {
    /// A text, quoted where YAML or the file's own `${…}` would read something else.
    case text(String)
    /// Written as it is: `5m`, `true`, `60%`.
    case plain(String)
    case list([YAMLText])
    case mapping([(String, YAMLText)])

    /// On one line.
    var line: String {
        switch self {
        case .text(let text): YAMLText.scalar(text.replacing("${", with: "$${"))
        case .plain(let text): text
        case .list(let elements): "[\(elements.map(\.line).joined(separator: ", "))]"
        case .mapping(let entries):
            "{\(entries.map { "\(YAMLText.scalar($0.0)): \($0.1.line)" }.joined(separator: ", "))}"
        }
    }

    /// As what follows a key: on the key's line when that is short enough, else below it.
    func block(_ indentation: Int, after key: String) -> String {
        let margin = String(repeating: " ", count: indentation)
        let short = "\(margin)\(key): \(line)\n"
        guard short.count > YAMLText.widest else { return short }
        switch self {
        case .text, .plain: return short
        case .list(let elements):
            return "\(margin)\(key):\n" + elements.map { "\(margin)  - \($0.line)\n" }.joined()
        case .mapping(let entries):
            return "\(margin)\(key):\n"
                + entries.map { $0.1.block(indentation + 2, after: YAMLText.scalar($0.0)) }.joined()
        }
    }

    /// As an element of a list.
    func element(_ indentation: Int) -> String {
        let margin = String(repeating: " ", count: indentation)
        let short = "\(margin)- \(line)\n"
        guard short.count > YAMLText.widest, case .mapping(let entries) = self else { return short }
        let body = entries.map { $0.1.block(indentation + 2, after: YAMLText.scalar($0.0)) }.joined()
        return "\(margin)- " + body.dropFirst(indentation + 2)
    }

    private static let widest = 120

    /// A scalar that every reader of YAML takes for this text.
    static func scalar(_ text: String) -> String {
        let words: Set = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        let isPlain =
            text.utf8.first.map(isLetter) == true && !words.contains(text.lowercased())
            && text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || "_.-/".utf8.contains($0) }
        return isPlain ? text : "\"\(text.unicodeScalars.map(escaped).joined())\""
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
    }

    /// Inside double quotes: YAML 1.1, 5.7.
    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": "\\\""
        case "\\": "\\\\"
        case "\n": "\\n"
        case "\t": "\\t"
        case "\r": "\\r"
        case "\u{0}"..<" ", "\u{7F}"..."\u{A0}", "\u{2028}", "\u{2029}", "\u{FEFF}": code(scalar)
        default: String(scalar)
        }
    }

    private static func code(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
