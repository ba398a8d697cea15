internal import Basics
package import Experiment

/// What a program's output must look like; conditions that are not given always hold.
package struct OutputCondition: Sendable, Hashable {
    package var contains: String?
    /// Compared without the white space around the output.
    package var equals: String?
    /// On the output as one value with its unit, if it has one: `< 100`, `>= 99.9%`.
    package var value: Comparison?

    package init(contains: String? = nil, equals: String? = nil, value: Comparison? = nil) {
        self.contains = contains
        self.equals = equals
        self.value = value
    }

    private static let contains = Parameter<String?>.optional("contains", .text, "text that the output must hold")
    private static let equals = Parameter<String?>.optional(
        "equals", .text, "the whole output, white space around it left out")
    private static let value = Parameter<Comparison?>.optional(
        "value", .comparison, "a comparison with the output as a number, for example < 100")

    /// Text alone means `contains`.
    static var type: ValueType<OutputCondition> {
        let short = ValueType<String>.text.map { OutputCondition(contains: $0) }
        let long = ValueType<OutputCondition>.record([contains, equals, value], placeholder: OutputCondition()) {
            reader in
            OutputCondition(
                contains: reader.value(contains), equals: reader.value(equals), value: reader.value(value))
        }
        return .shorthand(short, or: long)
    }

    /// The output as the value that `value` compares; nil when it is no number.
    package func quantity(of output: String) -> Quantity? {
        let quantity = Quantity(parsing: trimmed(output))
        return quantity.magnitude == nil ? nil : quantity
    }

    /// nil when all hold; else the class of the first one that does not.
    package func failure(of output: String) -> String? {
        if let contains, !output.contains(contains) { return "output-lacks-text" }
        if let equals, trimmed(output) != trimmed(equals) { return "output-differs" }
        guard let value else { return nil }
        switch value.holds(for: Quantity(parsing: trimmed(output))) {
        case true?: return nil
        case false?: return "output-out-of-range"
        case nil: return "output-no-number"
        }
    }
}

private func trimmed(_ text: String) -> String {
    let start = text.drop(while: \.isWhitespace)
    guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(start[...end])
}
