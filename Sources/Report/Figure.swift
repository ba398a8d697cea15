package import Basics
package import Contracts

/// How a number is written, the same in every output: a report and a terminal that round differently cannot be compared.
package enum Figure {
    /// Decimals by unit: a millisecond for seconds, a tenth for milliseconds, a thousandth of a per cent.
    private static func places(_ unit: String) -> Int {
        switch unit {
        case "s", "%": 3
        case "ms": 1
        case "writes", "B", "bytes": 0
        default: 3
        }
    }

    /// The number alone: `17.35`.
    package static func number(_ value: Double, unit: String) -> String {
        decimal(value, places: places(unit))
    }

    /// The number with its unit: `17.35 s`, `1 write`, `not measured`.
    package static func text(_ value: Double?, unit: String) -> String {
        guard let value else { return "not measured" }
        let number = number(value, unit: unit)
        return unit.isEmpty ? number : "\(number) \(number == "1" ? singular(unit) : unit)"
    }

    /// The interval that holds the true value: `17.34 … 17.355 s`; empty when there is none.
    package static func bounds(_ lower: Double?, _ upper: Double?, unit: String) -> String {
        switch (lower, upper) {
        case (let lower?, let upper?): "\(number(lower, unit: unit)) … \(text(upper, unit: unit))"
        case (let lower?, nil): "at least \(text(lower, unit: unit))"
        case (nil, let upper?): "at most \(text(upper, unit: unit))"
        case (nil, nil): ""
        }
    }

    /// Seconds from an origin with the sign always shown: `+17.350 s`, so that columns line up.
    package static func offset(_ span: Span, places: Int = 3) -> String {
        var scale: Int64 = 1_000_000_000
        for _ in 0..<places { scale /= 10 }
        let magnitude = Int64(clamping: span.nanoseconds.magnitude)
        let units = (magnitude + scale / 2) / scale
        let perSecond = 1_000_000_000 / scale
        let fraction = String(units % perSecond)
        let padding = String(repeating: "0", count: max(0, places - fraction.count))
        let sign = span.nanoseconds < 0 && units > 0 ? "−" : "+"
        return "\(sign)\(units / perSecond)\(places > 0 ? "." + padding + fraction : "") s"
    }

    /// A latency in the unit people say it in: `2.14 ms`, `1.97 s`, `340 µs`.
    package static func latency(_ span: Span) -> String {
        let microseconds = Double(span.nanoseconds) / 1_000
        switch microseconds.magnitude {
        case 0: return "0 s"
        case ..<1_000: return "\(decimal(microseconds, places: 0)) µs"
        case ..<10_000: return "\(decimal(microseconds / 1_000, places: 2)) ms"
        case ..<1_000_000: return "\(decimal(microseconds / 1_000, places: 1)) ms"
        default: return "\(decimal(microseconds / 1_000_000, places: 2)) s"
        }
    }

    /// A count with thousands separated by commas, for prose: `24,000`.
    package static func count(_ count: Int) -> String {
        var text = ""
        for (index, digit) in String(count.magnitude).reversed().enumerated() {
            if index > 0 && index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (count < 0 ? "-" : "") + String(text.reversed())
    }

    private static func singular(_ unit: String) -> String {
        unit.count > 2 && unit.hasSuffix("s") ? String(unit.dropLast()) : unit
    }
}

extension CriterionResult {
    /// `17.35 s`
    package var measuredText: String { Figure.text(measured, unit: unit) }
    /// `17.34 … 17.355 s`; empty when there are no bounds.
    package var boundsText: String { Figure.bounds(lower, upper, unit: unit) }
    /// How people write the criterion: `RTO`, `P99`, `availability`.
    package var displayName: String { name.count <= 3 ? name.uppercased() : name }

    /// One line that needs no table around it: `RTO 41.2 s > 30s (n=20000)`; a pass shows the limit as written.
    package var headline: String {
        let inverse = ["<=": ">", ">=": "<", "<": ">=", ">": "<=", "==": "!=", "!=": "=="]
        let words = limit.split(separator: " ", maxSplits: 1)
        let count = "(n=\(samples))"
        if verdict == .fail, measured != nil, words.count == 2, let relation = inverse[String(words[0])],
            !limit.contains(",")
        {
            return "\(displayName) \(measuredText) \(relation) \(words[1]) \(count)"
        }
        return "\(displayName) \(measuredText), limit \(limit) \(count)"
    }
}

extension Verdict {
    /// The word in capitals, as the first word of every output.
    package var word: String { rawValue.uppercased() }
}
