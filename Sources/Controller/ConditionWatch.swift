package import Basics
internal import Contracts
package import Experiment

/// Judges conditions again and again and says when they have held, or have been broken, for a stated time.
package struct ConditionWatch: Sendable {
    /// One look at all conditions: what does not hold, in words; empty when all hold.
    package struct Look: Sendable, Hashable {
        package var violations: [String]
        /// Every condition with its value, for live views.
        package var details: [String]
    }

    private let expectations: [Expectation]
    private let holdFor: Span
    /// Metrics over operations look this far back.
    private let window: Span
    private let startedAt: Instant
    private var heldSince: Instant?

    package init(_ expectations: [Expectation], holdFor: Span, window: Span, startedAt: Instant) {
        self.expectations = expectations
        self.holdFor = holdFor
        self.window = max(window, .seconds(1))
        self.startedAt = startedAt
    }

    package init(_ steadyState: SteadyState, startedAt: Instant) {
        self.init(
            steadyState.expectations, holdFor: steadyState.holdFor, window: steadyState.holdFor, startedAt: startedAt)
    }

    /// Looks once; true when the conditions have held without a break for the stated time.
    package mutating func look(_ window: LiveWindow, at now: Instant) -> (held: Bool, look: Look) {
        let look = evaluate(window, at: now)
        guard look.violations.isEmpty else {
            heldSince = nil
            return (false, look)
        }
        let since = heldSince ?? now
        heldSince = since
        // The operations of a full window must have been seen: a window that is still filling proves less.
        return (now - since >= holdFor && now - startedAt >= holdFor, look)
    }

    private func evaluate(_ live: LiveWindow, at now: Instant) -> Look {
        // No older than the watch: what happened before the heal says nothing about recovery.
        let span = min(window, max(now - startedAt, .milliseconds(1)))
        var look = Look(violations: [], details: [])
        for expectation in expectations {
            for condition in expectation.tolerance {
                let value = live.value(of: condition.metric, probe: Label(expectation.probe), over: span, at: now)
                let text = "\(expectation.probe) \(condition.metric) \(value.map { "\($0)" } ?? "no samples")"
                look.details.append("\(text) (\(condition.comparison))")
                let holds = value.flatMap { condition.comparison.holds(for: $0) } ?? false
                if !holds { look.violations.append("\(text), wanted \(condition.comparison)") }
            }
        }
        return look
    }
}
