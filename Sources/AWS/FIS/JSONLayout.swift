package import Basics

/// Prints JSON for people: indented, and with keys in an order that tells a story.
package struct JSONLayout: Sendable {
    private let places: [String: Int]

    /// - Parameter order: keys that come first, in this order; the others follow in alphabetical order.
    package init(order: [String]) {
        places = Dictionary(order.enumerated().map { ($0.element, $0.offset) }) { first, _ in first }
    }

    /// Throws for a number that JSON cannot write.
    package func text(_ value: JSONValue) throws -> String { try text(value, "") }

    private func text(_ value: JSONValue, _ margin: String) throws -> String {
        let inner = margin + "  "
        switch value {
        case .object(let members) where !members.isEmpty:
            let lines = try members.sorted { isBefore($0.key, $1.key) }.map { key, member in
                "\(inner)\(try JSONValue.string(key).text()): \(try text(member, inner))"
            }
            return "{\n\(lines.joined(separator: ",\n"))\n\(margin)}"
        case .array(let elements) where elements.contains { $0.object != nil || $0.array != nil }:
            let lines = try elements.map { inner + (try text($0, inner)) }
            return "[\n\(lines.joined(separator: ",\n"))\n\(margin)]"
        case .array(let elements):
            let line = "[\(try elements.map { try $0.text() }.joined(separator: ", "))]"
            if line.count + margin.count < 100 { return line }
            return "[\n\(try elements.map { inner + (try $0.text()) }.joined(separator: ",\n"))\n\(margin)]"
        case .null, .boolean, .integer, .number, .string, .object: return try value.text()
        }
    }

    private func isBefore(_ left: String, _ right: String) -> Bool {
        switch (places[left], places[right]) {
        case (let first?, let second?): first < second
        case (.some, nil): true
        case (nil, .some): false
        case (nil, nil): left < right
        }
    }
}
