internal import Basics
package import Experiment

/// Which HTTP statuses mean ok: one of them (`200`), a class (`2xx`) or a comparison (`< 500`).
package enum StatusPattern: Sendable, Hashable {
    /// The hundreds digit of `2xx`.
    case hundreds(Int)
    case comparison(Comparison)

    package init?(parsing text: String) {
        let characters = Array(text.lowercased())
        if characters.count == 3, characters[1] == "x", characters[2] == "x",
            let digit = characters[0].wholeNumberValue,
            (1...5).contains(digit)
        {
            self = .hundreds(digit)
            return
        }
        guard let comparison = Comparison(parsing: text), case .number(let status) = comparison.bound,
            (100...600).contains(status)
        else { return nil }
        self = .comparison(comparison)
    }

    package func matches(_ status: Int) -> Bool {
        switch self {
        case .hundreds(let digit): status / 100 == digit
        case .comparison(let comparison): comparison.holds(for: .number(Double(status))) == true
        }
    }

    static var type: ValueType<StatusPattern> {
        ValueType(
            scalar: "an HTTP status, for example 200, 2xx or < 500",
            schema: .object(["type": .array([.string("string"), .string("integer")])]), placeholder: .hundreds(2)
        ) { StatusPattern(parsing: $0.text) }
    }
}
