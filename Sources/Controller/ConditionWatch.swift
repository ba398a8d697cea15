package import Basics
internal import Contracts
package import Experiment

/// Judges conditions again and again and says when they have held, or have been broken, for a stated time.
package struct ConditionWatch: Sendable {
    /// One condition with the value that was found; put into words only when somebody reads them.
    fileprivate struct Reading: Sendable, Hashable {
        var probe: Label
        var condition: MetricCondition
        var value: Quantity?
        var holds: Bool

        var text: String { "\(probe) \(condition.metric) \(value.map { "\($0)" } ?? "no samples")" }
    }

    /// One look at all conditions.
    package struct Look: Sendable, Hashable {
        private var readings: [Reading] = []

        fileprivate init() {}

        fileprivate mutating func add(_ reading: Reading) { readings.append(reading) }

        package var holds: Bool { readings.allSatisfy(\.holds) }
        /// What does not hold, in words; empty when all hold.
        package var violations: [String] {
            readings.filter { !$0.holds }.map { "\($0.text), wanted \($0.condition.comparison)" }
        }
        /// Every condition with its value, for live views.
        package var details: [String] { readings.map { "\($0.text) (\($0.condition.comparison))" } }
    }

    private let conditions: [(probe: Label, condition: MetricCondition)]
    private let holdFor: Span
    /// Metrics over operations look this far back.
    private let window: Span
    private let startedAt: Instant
    private var heldSince: Instant?

    package init(_ expectations: [Expectation], holdFor: Span, window: Span, startedAt: Instant) {
        conditions = expectations.flatMap { expectation in
            expectation.tolerance.map { (Label(expectation.probe), $0) }
        }
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
        guard look.holds else {
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
        var look = Look()
        for (probe, condition) in conditions {
            let value = live.value(of: condition.metric, probe: probe, over: span, at: now)
            let holds = value.flatMap { condition.comparison.holds(for: $0) } ?? false
            look.add(Reading(probe: probe, condition: condition, value: value, holds: holds))
        }
        return look
    }
}
