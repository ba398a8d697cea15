/// A YAML document with the place of every value and key.
///
/// Scalars stay raw text: YAML 1.1 would turn `012` into 10, `yes` into true and `12:30:45` into 45045.
package indirect enum Node: Sendable, Hashable {
    case scalar(Scalar)
    case sequence([Node], Location)
    case mapping(Mapping)

    /// One value as it is written.
    package struct Scalar: Sendable, Hashable {
        package var text: String
        /// Quoted text is a string even where it reads `null` or is empty.
        package var isQuoted: Bool
        package var location: Location
        /// The text before `${name}` was filled in; nil when it held none.
        package var written: String?
        /// A variable in it could not be filled in, which has been reported: what reads it stays silent.
        package var isUnresolved = false

        package init(_ text: String, isQuoted: Bool = false, at location: Location) {
            self.text = text
            self.isQuoted = isQuoted
            self.location = location
        }
    }

    /// Keys with values in file order; no key stands twice.
    package struct Mapping: Sendable, Hashable {
        package var entries: [Entry]
        package var location: Location

        package init(_ entries: [Entry], at location: Location) {
            self.entries = entries
            self.location = location
        }

        package subscript(key: String) -> Node? { entries.first { $0.key == key }?.value }
    }

    /// One key with its value.
    package struct Entry: Sendable, Hashable {
        package var key: String
        package var keyLocation: Location
        package var value: Node

        package init(_ key: String, at keyLocation: Location, _ value: Node) {
            self.key = key
            self.keyLocation = keyLocation
            self.value = value
        }
    }

    package var location: Location {
        switch self {
        case .scalar(let scalar): scalar.location
        case .sequence(_, let location): location
        case .mapping(let mapping): mapping.location
        }
    }

    /// What the value is, in a user's words.
    package var shape: String {
        switch self {
        case .scalar(let scalar) where scalar.text.isEmpty && !scalar.isQuoted: "nothing"
        case .scalar(let scalar): "'\(scalar.text)'" + (scalar.written.map { " (from \($0))" } ?? "")
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}
