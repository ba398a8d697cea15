package import Basics
package import Contracts

/// A length of time known to lie between two values, both included: what sampling can honestly say.
package struct SpanBounds: Sendable, Hashable {
    package var lower: Span
    package var upper: Span

    package init(_ lower: Span, _ upper: Span) {
        self.lower = lower
        self.upper = max(lower, upper)
    }

    package var width: Span { upper - lower }

    /// The time from one interval to a later one, never negative: shortest from the end of the first to the start of the
    /// second, longest the other way round.
    package static func between(_ start: InstantRange, _ end: InstantRange) -> SpanBounds {
        SpanBounds(max(.zero, end.lower - start.upper), max(.zero, end.upper - start.lower))
    }

    /// A value that must not exceed `limit`: passes when even the upper bound is within it, fails when the lower one is not.
    package func judged(atMost limit: Span) -> Verdict {
        if lower > limit { return .fail }
        return upper <= limit ? .pass : .inconclusive
    }
}

extension SpanBounds: CustomStringConvertible {
    package var description: String { "\(lower) to \(upper)" }
}
