// Public for the compiler alone, as `Instant` says: documented like what is `package`.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

/// A length of time in nanoseconds, printed and parsed with its unit (`250ms`, `2m`, `1h30m`).
///
/// One integer type keeps histories exact: sums and differences of observations never round.
public struct Span: Sendable, Hashable, Comparable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// From a formula's result; rounded to the nanosecond.
    public init(seconds: Double) {
        self.init(nanoseconds: Int64((seconds * 1e9).rounded()))
    }

    public static var zero: Span { Span(nanoseconds: 0) }
    public static func nanoseconds(_ count: Int64) -> Span { Span(nanoseconds: count) }
    public static func microseconds(_ count: Int64) -> Span { Span(nanoseconds: count * 1_000) }
    public static func milliseconds(_ count: Int64) -> Span { Span(nanoseconds: count * 1_000_000) }
    public static func seconds(_ count: Int64) -> Span { Span(nanoseconds: count * 1_000_000_000) }
    public static func minutes(_ count: Int64) -> Span { .seconds(count * 60) }

    /// The span in seconds, for formulas and charts.
    public var seconds: Double { Double(nanoseconds) / 1e9 }
    /// The span in milliseconds, for formulas and charts.
    public var milliseconds: Double { Double(nanoseconds) / 1e6 }

    public static func < (left: Span, right: Span) -> Bool { left.nanoseconds < right.nanoseconds }
    public static func + (left: Span, right: Span) -> Span { Span(nanoseconds: left.nanoseconds + right.nanoseconds) }
    public static func - (left: Span, right: Span) -> Span { Span(nanoseconds: left.nanoseconds - right.nanoseconds) }
    public static func * (left: Span, right: Int64) -> Span { Span(nanoseconds: left.nanoseconds * right) }
    public static func / (left: Span, right: Int64) -> Span { Span(nanoseconds: left.nanoseconds / right) }
    public static func += (left: inout Span, right: Span) { left = left + right }
    public static func -= (left: inout Span, right: Span) { left = left - right }
}

extension Span {
    private static let units: [(suffix: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
    ]

    /// Parses one or more `<number><unit>` groups, for example `250ms`, `1.5s`, `1h30m`.
    ///
    /// A bare number is refused: its unit differs from tool to tool, and a wrong guess turns 30 s into 30 ms.
    public init?(parsing text: String) {
        var rest = Substring(text).utf8
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix(while: Self.isOfNumber)
            rest = rest.dropFirst(digits.count)
            let suffix = rest.prefix { !Self.isOfNumber($0) }
            rest = rest.dropFirst(suffix.count)
            guard let number = Double(Substring(digits)),
                let unit = Span.units.first(where: { $0.suffix.utf8.elementsEqual(suffix) })
            else { return nil }
            let value = number * Double(unit.nanoseconds)
            guard value.isFinite, value < 9e18, total < Int64.max / 2 else { return nil }
            total += Int64(value.rounded())
        }
        self.init(nanoseconds: total)
    }

    /// Bytes, not characters: what a character is takes a look into the tables of Unicode.
    private static func isOfNumber(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || byte == UInt8(ascii: ".")
    }
}

extension Span: CustomStringConvertible {
    /// Three or four significant digits with the largest unit that keeps the number above one: `7.35s`, `250ms`, `2m05s`.
    public var description: String {
        let magnitude = nanoseconds.magnitude
        let sign = nanoseconds < 0 ? "-" : ""
        switch magnitude {
        case 0: return "0s"
        case ..<1_000: return "\(sign)\(magnitude)ns"
        case ..<1_000_000: return sign + decimal(Double(magnitude) / 1e3, places: 1) + "us"
        case ..<1_000_000_000:
            return sign + decimal(Double(magnitude) / 1e6, places: magnitude < 10_000_000 ? 2 : 1) + "ms"
        case ..<60_000_000_000: return sign + decimal(Double(magnitude) / 1e9, places: 3) + "s"
        default:
            let total = magnitude / 1_000_000_000
            let (hours, minutes, rest) = (total / 3_600, total / 60 % 60, total % 60)
            let head = hours > 0 ? "\(hours)h" : ""
            let middle = minutes > 0 || hours > 0 ? "\(minutes)m" : ""
            return sign + head + middle + (rest > 0 ? "\(rest)s" : "")
        }
    }
}

extension Span: Codable {
    public init(from decoder: any Decoder) throws {
        nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }
}

/// Formats with at most `places` decimals, trailing zeros removed; no Foundation, so the binary stays small.
package func decimal(_ value: Double, places: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : (value < 0 ? "-inf" : "inf") }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard scaled < 9e15 else { return "\(value)" }
    let whole = Int64(scaled) / Int64(scale)
    let sign = value < 0 && scaled > 0 ? "-" : ""
    var (fraction, digits) = (Int64(scaled) % Int64(scale), places)
    guard fraction > 0 else { return "\(sign)\(whole)" }
    while fraction % 10 == 0 { (fraction, digits) = (fraction / 10, digits - 1) }
    let text = String(fraction)
    return "\(sign)\(whole)." + String(repeating: "0", count: digits - text.utf8.count) + text
}
