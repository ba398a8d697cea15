package import Basics

/// What the schema, the help and the reader need to know of a parameter, whatever its value's type.
package protocol AnyParameter: Sendable {
    var key: String { get }
    var summary: String { get }
    var isRequired: Bool { get }
    var expectation: String { get }
    /// The default as a person would write it; nil when there is none.
    var fallbackText: String? { get }
    var schema: JSONValue { get }
}

/// One key of a fault, probe, target or criterion: declared once, used for reading, for the schema and for help.
package struct Parameter<Value: Sendable>: AnyParameter {
    package let key: String
    package let summary: String
    package let isRequired: Bool
    package let fallback: Value
    package let fallbackText: String?
    private let type: ValueType<Value>

    private init(
        _ key: String, _ type: ValueType<Value>, _ summary: String, isRequired: Bool, fallback: Value,
        fallbackText: String?
    ) {
        self.key = key
        self.type = type
        self.summary = summary
        self.isRequired = isRequired
        self.fallback = fallback
        self.fallbackText = fallbackText
    }

    package var expectation: String { type.expectation }
    package var schema: JSONValue { type.schema }

    func parse(_ node: Node, _ diagnostics: inout Diagnostics) -> Value? {
        type.parse(node, &diagnostics)
    }

    /// A key that must be there.
    package static func required(_ key: String, _ type: ValueType<Value>, _ summary: String) -> Parameter {
        Parameter(key, type, summary, isRequired: true, fallback: type.placeholder, fallbackText: nil)
    }

    /// A key with a default; `written` is the default as a person would write it.
    package static func defaulted(
        _ key: String, _ type: ValueType<Value>, to fallback: Value, written: String, _ summary: String
    ) -> Parameter {
        Parameter(key, type, summary, isRequired: false, fallback: fallback, fallbackText: written)
    }

    /// A key that may be missing.
    package static func optional<Wrapped>(_ key: String, _ type: ValueType<Wrapped>, _ summary: String) -> Parameter
    where Value == Wrapped? {
        let optional = ValueType<Wrapped?>(expectation: type.expectation, schema: type.schema, placeholder: nil) {
            node, diagnostics in
            type.parse(node, &diagnostics).map(Optional.some)
        }
        return Parameter(key, optional, summary, isRequired: false, fallback: nil, fallbackText: nil)
    }
}

/// Reads the declared parameters of one mapping; reports unknown, missing and malformed keys, all of them.
package struct ParameterReader {
    /// Where the mapping starts, for findings about the whole of it.
    package let location: Location
    package var diagnostics = Diagnostics()
    private var mapping: Node.Mapping

    /// Runs `build` over the mapping and returns its value only when nothing was wrong.
    package static func read<Value>(
        _ node: Node, _ parameters: [any AnyParameter], into diagnostics: inout Diagnostics,
        build: (inout ParameterReader) -> Value
    ) -> Value? {
        var findings = Diagnostics()
        let value = values(node, parameters, into: &findings, build: build)
        diagnostics.append(contentsOf: findings)
        return findings.hasErrors ? nil : value
    }

    /// Runs `build` over the mapping and returns its value although keys may be wrong: for a reader that goes on to
    /// check other parts of the file. Wrong and missing keys have placeholders; nil when the node is no mapping.
    static func values<Value>(
        _ node: Node, _ parameters: [any AnyParameter], into diagnostics: inout Diagnostics,
        build: (inout ParameterReader) -> Value
    ) -> Value? {
        guard case .mapping(let mapping) = node else {
            if case .scalar(let scalar) = node, scalar.isUnresolved { return nil }
            let keys = parameters.filter(\.isRequired).map(\.key).joined(separator: ", ")
            diagnostics.error(
                "expected a mapping\(keys.isEmpty ? "" : " with \(keys)"), found \(node.shape)", at: node.location)
            return nil
        }
        var reader = ParameterReader(mapping)
        reader.reportUnknownKeys(parameters.map(\.key))
        let value = build(&reader)
        diagnostics.append(contentsOf: reader.diagnostics)
        return value
    }

    private init(_ mapping: Node.Mapping) {
        self.mapping = mapping
        location = mapping.location
    }

    /// The parameter's value, its default, or a placeholder beside an error.
    package mutating func value<Value>(_ parameter: Parameter<Value>) -> Value {
        guard let node = mapping[parameter.key] else {
            if parameter.isRequired {
                diagnostics.error("missing '\(parameter.key)': \(parameter.summary)", at: location)
            }
            return parameter.fallback
        }
        if case .scalar(let scalar) = node, scalar.isUnresolved { return parameter.fallback }
        return parameter.parse(node, &diagnostics) ?? parameter.fallback
    }

    /// Whether the key is written, whatever its value.
    package func has(_ key: String) -> Bool { mapping[key] != nil }

    /// The place of a key's value, or of the mapping when the key is missing.
    package func location(of key: String) -> Location { mapping[key]?.location ?? location }

    private mutating func reportUnknownKeys(_ known: [String]) {
        for entry in mapping.entries where !known.contains(entry.key) {
            let nearest = suggestion(for: entry.key, among: known)
            let list = known.isEmpty ? "no key is known here" : "known keys: \(known.joined(separator: ", "))"
            diagnostics.error(
                "unknown key '\(entry.key)'", at: entry.keyLocation,
                notes: [nearest.map { "did you mean '\($0)'?" } ?? list])
            if let nearest { mapping.standIn(for: nearest, at: entry.keyLocation) }
        }
    }
}

extension Node.Mapping {
    /// Makes a misspelt key count as there: that it is missing would be a second finding about one mistake.
    mutating func standIn(for key: String, at location: Location) {
        guard self[key] == nil else { return }
        var value = Node.Scalar("", at: location)
        value.isUnresolved = true
        entries.append(Node.Entry(key, at: location, .scalar(value)))
    }
}

/// The JSON Schema object for a mapping with these parameters.
package func parameterSchema(_ parameters: [any AnyParameter]) -> JSONValue {
    var properties: [String: JSONValue] = [:]
    for parameter in parameters {
        var schema = parameter.schema.object ?? [:]
        let fallback = parameter.fallbackText.map { " (default: \($0))" } ?? ""
        schema["description"] = .string(parameter.summary + fallback)
        properties[parameter.key] = .object(schema)
    }
    let required = parameters.filter(\.isRequired).map { JSONValue.string($0.key) }
    var schema: [String: JSONValue] = [
        "type": .string("object"), "properties": .object(properties), "additionalProperties": .boolean(false),
    ]
    if !required.isEmpty { schema["required"] = .array(required) }
    return .object(schema)
}
