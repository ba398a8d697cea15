/// A place in a JSON document: `status`, `$.data.items[0].id`, `nodes["pg-1"].lag`, `items[-1]`.
///
/// Names, indices (negative ones count from the end) and nothing that could match several places: a condition must be
/// about one value.
package struct JSONPath: Sendable, Hashable, Codable, CustomStringConvertible {
    package enum Step: Sendable, Hashable, Codable {
        case member(String)
        case element(Int)
    }

    package var steps: [Step]

    package init(_ steps: [Step]) {
        self.steps = steps
    }

    /// nil when the text is no path; `$` alone is the whole document.
    package init?(parsing text: String) {
        var rest = Substring(text)
        var steps: [Step] = []
        if rest.first == "$" {
            rest.removeFirst()
        } else if rest.first != "[" {
            guard let name = JSONPath.takeName(&rest) else { return nil }
            steps.append(.member(name))
        }
        while let next = rest.popFirst() {
            let step: Step? =
                switch next {
                case ".": JSONPath.takeName(&rest).map(Step.member)
                case "[": JSONPath.takeBracket(&rest)
                default: nil
                }
            guard let step else { return nil }
            steps.append(step)
        }
        self.steps = steps
    }

    /// The value there, or nil when the document has no such place. `null` is a value.
    package func value(in document: JSONValue) -> JSONValue? {
        var value = document
        for step in steps {
            let next: JSONValue? =
                switch step {
                case .member(let name): value[name]
                case .element(let index): value[index < 0 ? (value.array?.count ?? 0) + index : index]
                }
            guard let next else { return nil }
            value = next
        }
        return value
    }

    package var description: String {
        steps.reduce("$") { text, step in
            switch step {
            case .element(let index): "\(text)[\(index)]"
            case .member(let name):
                name.allSatisfy { $0 != "." && $0 != "[" && $0 != "]" && $0 != "\"" && $0 != " " } && !name.isEmpty
                    ? "\(text).\(name)"
                    : "\(text)[\"\(name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"]"
            }
        }
    }

    private static func takeName(_ rest: inout Substring) -> String? {
        let name = rest.prefix { $0 != "." && $0 != "[" && $0 != "]" }
        rest = rest.dropFirst(name.count)
        return name.isEmpty ? nil : String(name)
    }

    /// What stands in brackets, the opening one already taken: an index, or a name in quotes.
    private static func takeBracket(_ rest: inout Substring) -> Step? {
        guard let quote = rest.first, quote == "\"" || quote == "'" else {
            let digits = rest.prefix { $0 != "]" }
            rest = rest.dropFirst(digits.count)
            guard rest.popFirst() == "]", digits.first != "+" else { return nil }
            return Int(digits).map(Step.element)
        }
        rest.removeFirst()
        var name = ""
        while let character = rest.popFirst() {
            if character == quote { return rest.popFirst() == "]" ? .member(name) : nil }
            // A backslash takes the quote, or itself, as it is.
            guard character == "\\" else {
                name.append(character)
                continue
            }
            guard let escaped = rest.popFirst() else { return nil }
            name.append(escaped)
        }
        return nil
    }
}
