internal import Basics

/// Lengths of time as FIS writes them, ISO 8601: `PT5M`, `PT1H30M`, `P1DT12H`.
enum FISDuration {
    /// What FIS accepts for an action that lasts: one minute to twelve hours.
    static let bounds: ClosedRange<Span> = .minutes(1)...(.minutes(12 * 60))

    private struct Unit {
        var letter: UInt8
        var seconds: Double
    }

    private static let ofDate = [
        Unit(letter: UInt8(ascii: "W"), seconds: 604_800), Unit(letter: UInt8(ascii: "D"), seconds: 86_400),
    ]
    private static let ofTime = [
        Unit(letter: UInt8(ascii: "H"), seconds: 3_600), Unit(letter: UInt8(ascii: "M"), seconds: 60),
        Unit(letter: UInt8(ascii: "S"), seconds: 1),
    ]

    /// nil for anything that is no length of time, years and months included: they have no length of their own.
    static func parse(_ text: String) -> Span? {
        var rest = Array(text.utf8)[...]
        guard rest.popFirst() == UInt8(ascii: "P"), let last = rest.last, last != UInt8(ascii: "T") else { return nil }
        var (units, isOfTime) = (ofDate[...], false)
        var seconds = 0.0
        while let byte = rest.first {
            if byte == UInt8(ascii: "T"), !isOfTime {
                (units, isOfTime) = (ofTime[...], true)
                rest = rest.dropFirst()
            }
            guard let (number, isFraction) = number(&rest), let letter = rest.popFirst(),
                let unit = units.firstIndex(where: { $0.letter == letter })
            else { return nil }
            // Only the smallest part may have a fraction (ISO 8601, 4.4.3.2).
            if isFraction, !rest.isEmpty { return nil }
            seconds += number * units[unit].seconds
            units = units[(unit + 1)...]
        }
        guard seconds * 1e9 < 9e18 else { return nil }
        return Span(seconds: seconds)
    }

    /// Digits, with a point or a comma before a fraction.
    private static func number(_ rest: inout ArraySlice<UInt8>) -> (value: Double, isFraction: Bool)? {
        let digits = rest.prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ",") }
        rest = rest.dropFirst(digits.count)
        let text = String(decoding: digits, as: UTF8.self).replacing(",", with: ".")
        guard let first = text.utf8.first, first != UInt8(ascii: "."), text.utf8.last != UInt8(ascii: "."),
            let value = Double(text)
        else { return nil }
        return (value, text.contains("."))
    }

    /// `PT1H30M`; nil when it is not whole seconds, or is negative.
    static func text(_ span: Span) -> String? {
        guard span.nanoseconds >= 0, span.nanoseconds % 1_000_000_000 == 0 else { return nil }
        let total = span.nanoseconds / 1_000_000_000
        let parts = [(total / 3_600, "H"), (total / 60 % 60, "M"), (total % 60, "S")].filter { $0.0 > 0 }
        return parts.isEmpty ? "PT0S" : "PT" + parts.map { "\($0.0)\($0.1)" }.joined()
    }
}

extension Span {
    /// The span as an experiment file writes it, without rounding: `1m30s`, `1500ms`.
    var written: String {
        let units: [(suffix: String, nanoseconds: Int64)] = [
            ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("ns", 1),
        ]
        var rest = nanoseconds
        var text = ""
        for unit in units where rest >= unit.nanoseconds {
            text += "\(rest / unit.nanoseconds)\(unit.suffix)"
            rest %= unit.nanoseconds
        }
        return text.isEmpty ? "0s" : text
    }
}
