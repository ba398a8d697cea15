// Public for the compiler alone, as `Instant` says: documented like what is `package`.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

/// A point on the controller's one monotonic clock: nanoseconds since boot, suspended time included.
///
/// CLOCK_BOOTTIME, so that a virtual machine that was paused shows as a gap instead of vanishing from the record.
///
/// Public, like `Span` and `Label`, which a run compares and hashes by the million: from another module the compiler looks
/// into what is public, and calls what is `package` through the protocol's table.
public struct Instant: Sendable, Hashable, Comparable, Codable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
    public static func + (left: Instant, right: Span) -> Instant {
        Instant(nanoseconds: left.nanoseconds + right.nanoseconds)
    }
    public static func - (left: Instant, right: Span) -> Instant {
        Instant(nanoseconds: left.nanoseconds - right.nanoseconds)
    }
    public static func - (left: Instant, right: Instant) -> Span {
        Span(nanoseconds: left.nanoseconds - right.nanoseconds)
    }

    public init(from decoder: any Decoder) throws {
        nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }
}

/// A closed interval of instants: what we know about when something happened.
public struct InstantRange: Sendable, Hashable, Codable {
    public var lower: Instant
    public var upper: Instant

    public init(_ lower: Instant, _ upper: Instant) {
        self.lower = lower
        self.upper = max(lower, upper)
    }

    public init(_ instant: Instant) {
        self.init(instant, instant)
    }

    public var width: Span { upper - lower }
}
