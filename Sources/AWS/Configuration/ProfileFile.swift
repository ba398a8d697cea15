/// The format of `~/.aws/config` and `~/.aws/credentials`: sections, `key = value`, and one level of indented keys.
struct ProfileFile: Sendable, Hashable {
    /// `profile x`, `default`, `sso-session y`, `services z`; in a credentials file the bare name of a profile.
    private(set) var sections: [String: [String: String]] = [:]

    static let empty = ProfileFile(parsing: "")

    /// What is no section, key or comment is passed over, as other tools do. A nested key is `outer.inner`.
    init(parsing text: String) {
        var section: String?
        var outer = ""
        for line in text.split(whereSeparator: \.isNewline) {
            let content = trimmed(line)
            guard let first = content.first, first != "#", first != ";" else { continue }
            if first == "[" {
                section = content.firstIndex(of: "]").map { Self.sectionName(content[..<$0].dropFirst()) }
                outer = ""
                if let section, sections[section] == nil { sections[section] = [:] }
                continue
            }
            guard let section, let equals = content.firstIndex(of: "=") else { continue }
            let key = trimmed(content[..<equals]).lowercased()
            let value = Self.withoutComment(trimmed(content[content.index(after: equals)...]))
            let isNested = line.first == " " || line.first == "\t"
            if isNested, !outer.isEmpty {
                sections[section]?["\(outer).\(key)"] = value
            } else {
                sections[section]?[key] = value
                outer = value.isEmpty ? key : ""
            }
        }
    }

    subscript(section: String) -> [String: String]? { sections[section] }

    /// `profile   "two words"` → `profile two words`
    private static func sectionName(_ text: Substring) -> String {
        let words = text.split { $0 == " " || $0 == "\t" }
        return words.joined(separator: " ").replacing("\"", with: "").replacing("'", with: "")
    }

    /// A comment begins after a blank; a `#` within a value belongs to it.
    private static func withoutComment(_ value: Substring) -> String {
        for mark in [" #", " ;", "\t#", "\t;"] {
            if let comment = value.firstRange(of: mark) {
                return String(trimmed(value[..<comment.lowerBound]))
            }
        }
        return String(value)
    }
}

private func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
    return text
}
