package import Basics

/// A number with what it counts, so that `95%` is never compared with `95ms`.
package enum Quantity: Sendable, Hashable, Codable {
    case number(Double)
    case share(Share)
    case span(Span)
    case bytes(ByteCount)
    case rate(Rate)
    case text(String)

    /// Reads the most specific form: `99.9%`, `100ms`, `200/s`, `64MiB`, `3`, else text.
    package init(parsing text: String) {
        if let share = Share(parsing: text) {
            self = .share(share)
        } else if let span = Span(parsing: text) {
            self = .span(span)
        } else if let rate = Rate(parsing: text) {
            self = .rate(rate)
        } else if let bytes = ByteCount(parsing: text) {
            self = .bytes(bytes)
        } else if let number = Double(text), number.isFinite {
            self = .number(number)
        } else {
            self = .text(text)
        }
    }

    /// The value in its base unit (fraction, seconds, bytes, per second); nil for text.
    package var magnitude: Double? {
        switch self {
        case .number(let number): number
        case .share(let share): share.fraction
        case .span(let span): span.seconds
        case .bytes(let bytes): Double(bytes.bytes)
        case .rate(let rate): rate.perSecond
        case .text: nil
        }
    }

    /// Whether the two may be compared at all.
    package func isComparable(with other: Quantity) -> Bool {
        switch (self, other) {
        case (.number, .number), (.share, .share), (.span, .span), (.bytes, .bytes), (.rate, .rate), (.text, .text):
            true
        default: false
        }
    }
}

extension Quantity: CustomStringConvertible {
    package var description: String {
        switch self {
        case .number(let number): decimal(number, places: 6)
        case .share(let share): share.description
        case .span(let span): span.description
        case .bytes(let bytes): bytes.description
        case .rate(let rate): rate.description
        case .text(let text): text
        }
    }
}

/// A condition on one value, written `>= 99.9%`, `< 100ms`, `== primary` or just the value (equality).
package struct Comparison: Sendable, Hashable, Codable {
    /// Longer signs first, so that `>=` is not read as `>`.
    package enum Relation: String, Sendable, Hashable, Codable, CaseIterable {
        case atLeast = ">="
        case atMost = "<="
        case notEqual = "!="
        case equal = "=="
        case above = ">"
        case below = "<"
    }

    package var relation: Relation
    package var bound: Quantity

    package init(_ relation: Relation, _ bound: Quantity) {
        self.relation = relation
        self.bound = bound
    }

    package init?(parsing text: String) {
        let relation = Relation.allCases.first { text.hasPrefix($0.rawValue) }
        let rest = text.dropFirst(relation?.rawValue.count ?? 0).drop { $0 == " " }
        guard !rest.isEmpty, !rest.hasPrefix("=") else { return nil }
        self.init(relation ?? .equal, Quantity(parsing: String(rest)))
        // An order needs numbers: "<= fast" is a typing error, not a comparison of texts.
        if bound.magnitude == nil && relation != nil && relation != .equal && relation != .notEqual { return nil }
    }

    /// nil when the value is of another kind than the bound.
    package func holds(for value: Quantity) -> Bool? {
        guard value.isComparable(with: bound) else { return nil }
        if case .text(let text) = value, case .text(let expected) = bound {
            return relation == .notEqual ? text != expected : text == expected
        }
        guard let left = value.magnitude, let right = bound.magnitude else { return nil }
        return switch relation {
        case .atLeast: left >= right
        case .atMost: left <= right
        case .notEqual: left != right
        case .equal: left == right
        case .above: left > right
        case .below: left < right
        }
    }
}

extension Comparison {
    /// nil when the value is of another kind than the bound, an array or an object.
    ///
    /// A JSON text is read as the kind of value that the bound is, so that `"12ms"` meets `<= 20ms`, and `"200"` meets 200.
    package func holds(forJSON value: JSONValue) -> Bool? {
        switch value {
        case .null: holds(for: .text("null"))
        case .boolean(let value): holds(for: .text(value ? "true" : "false"))
        case .integer(let value): holds(for: .number(Double(value)))
        case .number(let value): holds(for: .number(value))
        case .string(let text): holds(for: bound.magnitude == nil ? .text(text) : Quantity(parsing: text))
        case .array, .object: nil
        }
    }
}

extension Comparison: CustomStringConvertible {
    package var description: String { relation == .equal ? "\(bound)" : "\(relation.rawValue) \(bound)" }
}

extension ValueType where Value == Comparison {
    package static var comparison: ValueType {
        ValueType(
            scalar: "a value or a comparison, for example 200, >= 99.9% or <= 100ms",
            schema: .object(["type": .array([.string("string"), .string("number"), .string("boolean")])]),
            placeholder: Comparison(.equal, .number(0))
        ) { Comparison(parsing: $0.text) }
    }
}
