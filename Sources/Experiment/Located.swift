internal import Basics

/// A value with its place, for findings that only other parts of the file can show.
package struct Located<Value: Sendable>: Sendable {
    package var value: Value
    package var location: Location

    package init(_ value: Value, at location: Location) {
        self.value = value
        self.location = location
    }
}

/// One entry of a mapping with the places of key and value.
struct LocatedEntry<Value: Sendable>: Sendable {
    var key: String
    var keyLocation: Location
    var value: Located<Value>
}

extension ValueType {
    /// The same value, with its place.
    static func located<Inner>(_ inner: ValueType<Inner>) -> ValueType where Value == Located<Inner> {
        let nowhere = Location(file: "", line: 0, column: 0)
        return ValueType(
            expectation: inner.expectation, schema: inner.schema, placeholder: Located(inner.placeholder, at: nowhere)
        ) { node, diagnostics in
            inner.parse(node, &diagnostics).map { Located($0, at: node.location) }
        }
    }

    /// A mapping from names to values of one type, with every place, in file order.
    static func entries<Inner>(_ inner: ValueType<Inner>) -> ValueType where Value == [LocatedEntry<Inner>] {
        let schema: JSONValue = .object(["type": .string("object"), "additionalProperties": inner.schema])
        let expectation = "a mapping from names to \(inner.expectation)"
        return ValueType(expectation: expectation, schema: schema, placeholder: []) { node, diagnostics in
            guard case .mapping(let mapping) = node else {
                diagnostics.error("expected \(expectation), found \(node.shape)", at: node.location)
                return nil
            }
            return mapping.entries.compactMap { entry in
                if case .scalar(let scalar) = entry.value, scalar.isUnresolved { return nil }
                guard let value = inner.parse(entry.value, &diagnostics) else { return nil }
                let located = Located(value, at: entry.value.location)
                return LocatedEntry(key: entry.key, keyLocation: entry.keyLocation, value: located)
            }
        }
    }
}

extension ValueType where Value == MetricCondition {
    /// `success < 1%`
    package static var metricCondition: ValueType {
        ValueType(
            scalar: "a metric and a comparison, for example success < 1%",
            schema: .object([
                "type": .string("string"),
                "pattern": .string("^[A-Za-z_][A-Za-z0-9_.-]* *(>=|<=|==|!=|>|<) *.+$|\\$\\{"),
            ]),
            placeholder: MetricCondition(metric: "", comparison: Comparison(.equal, .number(0)))
        ) { scalar in
            let metric = scalar.text.prefix { !" <>=!".contains($0) }
            let rest = scalar.text.dropFirst(metric.count).drop { $0 == " " }
            guard !metric.isEmpty, let first = rest.first, "<>=!".contains(first) else { return nil }
            guard let comparison = Comparison(parsing: String(rest)) else { return nil }
            return MetricCondition(metric: String(metric), comparison: comparison)
        }
    }
}
