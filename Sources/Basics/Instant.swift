/// A point on the controller's one monotonic clock: nanoseconds since boot, suspended time included.
///
/// CLOCK_BOOTTIME, so that a virtual machine that was paused shows as a gap instead of vanishing from the record.
package struct Instant: Sendable, Hashable, Comparable, Codable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
    package static func + (left: Instant, right: Span) -> Instant {
        Instant(nanoseconds: left.nanoseconds + right.nanoseconds)
    }
    package static func - (left: Instant, right: Span) -> Instant {
        Instant(nanoseconds: left.nanoseconds - right.nanoseconds)
    }
    package static func - (left: Instant, right: Instant) -> Span {
        Span(nanoseconds: left.nanoseconds - right.nanoseconds)
    }

    package init(from decoder: any Decoder) throws {
        nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }
}

/// A closed interval of instants: what we know about when something happened.
package struct InstantRange: Sendable, Hashable, Codable {
    package var lower: Instant
    package var upper: Instant

    package init(_ lower: Instant, _ upper: Instant) {
        self.lower = lower
        self.upper = max(lower, upper)
    }

    package init(_ instant: Instant) {
        self.init(instant, instant)
    }

    package var width: Span { upper - lower }
}
