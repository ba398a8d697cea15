internal import FoundationEssentials

extension JSONValue {
    /// Any value as a JSON document.
    package init(encoding value: some Encodable) throws {
        self = try JSONValueEncoder.encode(value)
    }

    /// The document as a value of one type.
    package func decode<Value: Decodable>(as type: Value.Type) throws -> Value {
        try JSONValueDecoder.decode(type, from: self)
    }

    /// Reads a JSON text.
    package init(parsing text: String) throws {
        self = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    /// One line with sorted keys.
    package func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
