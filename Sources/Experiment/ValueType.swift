package import Basics

/// How one parameter's value is written: the parser for a file and the fragment for the JSON Schema, in one place.
package struct ValueType<Value: Sendable>: Sendable {
    /// What a person may write, for messages and help: `a duration with its unit, for example 250ms`.
    package var expectation: String
    package var schema: JSONValue
    /// Stands in for a value that could not be read; never used, because a load with errors is refused as a whole.
    package var placeholder: Value
    /// Adds a diagnostic and returns nil when the node is no such value.
    package var parse: @Sendable (Node, inout Diagnostics) -> Value?

    package init(
        expectation: String, schema: JSONValue, placeholder: Value,
        parse: @escaping @Sendable (Node, inout Diagnostics) -> Value?
    ) {
        self.expectation = expectation
        self.schema = schema
        self.placeholder = placeholder
        self.parse = parse
    }

    /// A type whose values are single scalars; `read` returns nil for text that does not fit, `hint` then says what was
    /// probably meant.
    package init(
        scalar expectation: String, schema: JSONValue, placeholder: Value,
        hint: @escaping @Sendable (String) -> String? = { _ in nil }, read: @escaping @Sendable (Node.Scalar) -> Value?
    ) {
        self.init(expectation: expectation, schema: schema, placeholder: placeholder) { node, diagnostics in
            var notes: [String] = []
            if case .scalar(let scalar) = node {
                if scalar.isUnresolved { return nil }
                if let value = read(scalar) { return value }
                notes = hint(scalar.text).map { [$0] } ?? []
            }
            diagnostics.error("expected \(expectation), found \(node.shape)", at: node.location, notes: notes)
            return nil
        }
    }
}

/// A bare number with the units it may have been meant in; nil for any other text.
private func unitHint(_ text: String, _ forms: (String) -> String) -> String? {
    guard let number = Double(text), number.isFinite else { return nil }
    return "a bare number has no unit: write \(forms(text))"
}

/// The schema of a value that may also be written as a variable, for types whose own pattern does not allow it.
package func orVariable(_ schema: JSONValue) -> JSONValue {
    let variable: JSONValue = .object(["type": .string("string"), "pattern": .string("\\$\\{")])
    return .object(["anyOf": .array([schema, variable])])
}

extension ValueType where Value == String {
    package static var text: ValueType {
        ValueType(
            scalar: "text", schema: .object(["type": .array(["string", "number", "boolean"].map(JSONValue.string))]),
            placeholder: ""
        ) {
            $0.text.isEmpty && !$0.isQuoted ? nil : $0.text
        }
    }

    /// Text that may be empty.
    package static var anyText: ValueType {
        ValueType(scalar: "text", schema: text.schema, placeholder: "") { $0.text }
    }

    /// A name of something declared in the file: it is referred to, printed and used in file names.
    package static var name: ValueType {
        ValueType(
            scalar: "a name of letters, digits, '_', '-' and '.'",
            schema: .object(["type": .string("string"), "pattern": .string("^[A-Za-z_][A-Za-z0-9_.-]*$|\\$\\{")]),
            placeholder: ""
        ) { isVariableName($0.text) ? $0.text : nil }
    }

    /// One of the listed words.
    package static func word(_ words: [String]) -> ValueType {
        ValueType(
            expectation: "one of \(words.joined(separator: ", "))",
            schema: orVariable(.object(["enum": .array(words.map(JSONValue.string))])), placeholder: words.first ?? ""
        ) { node, diagnostics in
            guard case .scalar(let scalar) = node else {
                diagnostics.error(
                    "expected one of \(words.joined(separator: ", ")), found \(node.shape)", at: node.location)
                return nil
            }
            if words.contains(scalar.text) { return scalar.text }
            diagnostics.error(
                "'\(scalar.text)' is not one of \(words.joined(separator: ", "))", at: node.location,
                notes: suggestion(for: scalar.text, among: words).map { ["did you mean '\($0)'?"] } ?? [])
            return nil
        }
    }
}

extension ValueType where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One case of an enumeration, written as its raw value.
    package static func choice(_ placeholder: Value) -> ValueType {
        let word = ValueType<String>.word(Value.allCases.map(\.rawValue))
        return ValueType(expectation: word.expectation, schema: word.schema, placeholder: placeholder) {
            node, diagnostics in
            word.parse(node, &diagnostics).flatMap(Value.init(rawValue:))
        }
    }
}

extension ValueType where Value == Bool {
    package static var boolean: ValueType {
        ValueType(
            scalar: "true or false", schema: orVariable(.object(["type": .string("boolean")])), placeholder: false
        ) {
            scalar in
            switch scalar.text {
            case "true": true
            case "false": false
            default: nil
            }
        }
    }
}

extension ValueType where Value == Int {
    /// A whole number in a range.
    package static func integer(_ range: ClosedRange<Int> = 0...Int.max) -> ValueType {
        let bounds =
            range.upperBound == Int.max ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
        var schema: [String: JSONValue] = ["type": .string("integer"), "minimum": .integer(Int64(range.lowerBound))]
        if range.upperBound != Int.max { schema["maximum"] = .integer(Int64(range.upperBound)) }
        return ValueType(
            scalar: "a whole number, \(bounds)", schema: orVariable(.object(schema)), placeholder: range.lowerBound
        ) {
            Int($0.text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension ValueType where Value == Span {
    package static var span: ValueType {
        ValueType(
            scalar: "a duration with its unit, for example 250ms, 30s or 2m",
            schema: .object([
                "type": .string("string"), "pattern": .string("^([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))+$|\\$\\{"),
            ]), placeholder: .zero, hint: { unitHint($0) { "\($0)s, or \($0)ms if milliseconds are meant" } }
        ) { Span(parsing: $0.text) }
    }
}

extension ValueType where Value == Rate {
    package static var rate: ValueType {
        ValueType(
            scalar: "a rate with its unit, for example 200/s",
            schema: .object(["type": .string("string"), "pattern": .string("^[0-9]+(\\.[0-9]+)?/(s|m|h)$|\\$\\{")]),
            placeholder: Rate(perSecond: 1), hint: { unitHint($0) { "\($0)/s, or \($0)/m if per minute is meant" } }
        ) { Rate(parsing: $0.text) }
    }
}

extension ValueType where Value == Share {
    package static var share: ValueType {
        ValueType(
            scalar: "a percentage from 0% to 100%, for example 99.9%",
            schema: .object(["type": .string("string"), "pattern": .string("^[0-9]+(\\.[0-9]+)?%$|\\$\\{")]),
            placeholder: Share(fraction: 0),
            hint: { text in
                unitHint(text) { (Double($0) ?? 2) <= 1 ? "\(decimal((Double($0) ?? 0) * 100, places: 6))%" : "\($0)%" }
            }
        ) { Share(parsing: $0.text) }
    }
}

extension ValueType where Value == Bandwidth {
    package static var bandwidth: ValueType {
        ValueType(
            scalar: "a bandwidth with its unit, for example 10mbit",
            schema: .object(["type": .string("string"), "pattern": .string("^[0-9]+(\\.[0-9]+)?[gmk]?bit$|\\$\\{")]),
            placeholder: Bandwidth(bitsPerSecond: 1), hint: { unitHint($0) { "\($0)mbit, or \($0)kbit" } }
        ) { Bandwidth(parsing: $0.text) }
    }
}

extension ValueType where Value == ByteCount {
    package static var byteCount: ValueType {
        ValueType(
            scalar: "a size with its unit, for example 64MiB",
            schema: .object(["type": .string("string"), "pattern": .string("^[0-9]+(\\.[0-9]+)?([GMK]i)?B$|\\$\\{")]),
            placeholder: ByteCount(bytes: 0), hint: { unitHint($0) { "\($0)B, or \($0)MiB" } }
        ) { ByteCount(parsing: $0.text) }
    }
}

extension ValueType where Value == Signal {
    /// A signal's name with or without `SIG`, or its number.
    package static var signal: ValueType {
        ValueType(
            scalar: "a signal, for example SIGKILL, TERM or 15",
            schema: .object(["type": .array([.string("string"), .string("integer")])]), placeholder: .terminate
        ) { Signal(parsing: $0.text) }
    }
}

extension ValueType where Value == Node {
    /// Any value, kept with its location for a reader of its own.
    package static var node: ValueType {
        let nowhere = Location(file: "", line: 0, column: 0)
        return ValueType(expectation: "a value", schema: .object([:]), placeholder: .scalar(.init("", at: nowhere))) {
            node, _ in
            node
        }
    }
}

extension ValueType {
    /// A list; a single value stands for a list of one.
    package static func list<Element>(_ element: ValueType<Element>) -> ValueType where Value == [Element] {
        let many: JSONValue = .object(["type": .string("array"), "items": element.schema])
        return ValueType(
            expectation: "a list, each \(element.expectation)",
            schema: .object(["anyOf": .array([element.schema, many])]),
            placeholder: []
        ) { node, diagnostics in
            guard case .sequence(let nodes, _) = node else { return element.parse(node, &diagnostics).map { [$0] } }
            let values = nodes.map { element.parse($0, &diagnostics) }
            // No key path: in generic code it is put together anew at every call.
            return values.contains { $0 == nil } ? nil : values.compactMap { $0 }
        }
    }

    /// A mapping from names of the user's choice to values of one type, in file order.
    package static func map<Element>(_ element: ValueType<Element>) -> ValueType where Value == [NamedValue<Element>] {
        ValueType(
            expectation: "a mapping from names to \(element.expectation)",
            schema: .object(["type": .string("object"), "additionalProperties": element.schema]), placeholder: []
        ) { node, diagnostics in
            guard case .mapping(let mapping) = node else {
                diagnostics.error(
                    "expected a mapping from names to \(element.expectation), found \(node.shape)", at: node.location)
                return nil
            }
            return mapping.entries.compactMap { entry in
                element.parse(entry.value, &diagnostics).map { NamedValue(name: entry.key, value: $0) }
            }
        }
    }

    /// A mapping whose keys are parameters of their own.
    package static func record(
        _ parameters: [any AnyParameter], placeholder: Value,
        build: @escaping @Sendable (inout ParameterReader) -> Value
    ) -> ValueType {
        ValueType(expectation: "a mapping", schema: parameterSchema(parameters), placeholder: placeholder) {
            node, diagnostics in
            ParameterReader.read(node, parameters, into: &diagnostics, build: build)
        }
    }

    /// Either of two ways to write a value: a scalar read by the short form, anything else by the long form.
    package static func shorthand(_ short: ValueType, or long: ValueType) -> ValueType {
        ValueType(
            expectation: "\(short.expectation), or \(long.expectation)",
            schema: .object(["anyOf": .array([short.schema, long.schema])]), placeholder: long.placeholder
        ) { node, diagnostics in
            if case .scalar = node { short.parse(node, &diagnostics) } else { long.parse(node, &diagnostics) }
        }
    }

    /// The same values, turned into others.
    package func map<Other: Sendable>(_ transform: @escaping @Sendable (Value) -> Other) -> ValueType<Other> {
        let parse = self.parse
        return ValueType<Other>(expectation: expectation, schema: schema, placeholder: transform(placeholder)) {
            node, diagnostics in
            parse(node, &diagnostics).map(transform)
        }
    }
}

/// One entry of a mapping whose keys are names of the user's choice.
package struct NamedValue<Value: Sendable>: Sendable {
    package var name: String
    package var value: Value

    package init(name: String, value: Value) {
        self.name = name
        self.value = value
    }
}

extension NamedValue: Equatable where Value: Equatable {}
extension NamedValue: Hashable where Value: Hashable {}
