package import Basics

extension Node {
    /// The document as JSON with every scalar as text, so that it reads back exactly as it was written.
    package var json: JSONValue {
        switch self {
        case .scalar(let scalar): .string(scalar.text)
        case .sequence(let nodes, _): .array(nodes.map(\.json))
        case .mapping(let mapping):
            .object(Dictionary(mapping.entries.map { ($0.key, $0.value.json) }) { first, _ in first })
        }
    }

    /// A document from JSON; everything is placed at `location`, keys in alphabetical order.
    package init(_ json: JSONValue, at location: Location) {
        switch json {
        case .object(let members):
            let entries = members.sorted { $0.key < $1.key }
                .map { Entry($0.key, at: location, Node($0.value, at: location)) }
            self = .mapping(Mapping(entries, at: location))
        case .array(let elements): self = .sequence(elements.map { Node($0, at: location) }, location)
        case .string(let text): self = .scalar(Scalar(text, isQuoted: true, at: location))
        case .integer(let number): self = .scalar(Scalar("\(number)", at: location))
        case .number(let number): self = .scalar(Scalar("\(number)", at: location))
        case .boolean(let flag): self = .scalar(Scalar(flag ? "true" : "false", at: location))
        case .null: self = .scalar(Scalar("", at: location))
        }
    }
}
