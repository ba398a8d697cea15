package import Basics
internal import Contracts
package import Experiment

/// Judges conditions again and again and says when they have held, or have been broken, for a stated time.
package struct ConditionWatch: Sendable {
    /// One condition with the value that was found.
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

        /// What does not hold, in words; empty when all hold.
        package var violations: [String] {
            readings.filter { !$0.holds }.map { "\($0.text), wanted \($0.condition.comparison)" }
        }
        /// Every condition with its value, for live views.
        package var details: [String] { readings.map { "\($0.text) (\($0.condition.comparison))" } }
    }

    private let conditions: [(probe: Label, metric: LiveMetric, condition: MetricCondition)]
    private let holdFor: Span
    /// Metrics over operations look this far back.
    private let window: Span
    private let startedAt: Instant
    private var heldSince: Instant?

    package init(_ expectations: [Expectation], holdFor: Span, window: Span, startedAt: Instant) {
        conditions = expectations.flatMap { expectation in
            expectation.tolerance.map { (Label(expectation.probe), LiveMetric($0.metric), $0) }
        }
        self.holdFor = holdFor
        self.window = max(window, .seconds(1))
        self.startedAt = startedAt
    }

    package init(_ steadyState: SteadyState, startedAt: Instant) {
        self.init(
            steadyState.expectations, holdFor: steadyState.holdFor, window: steadyState.holdFor, startedAt: startedAt)
    }

    /// Looks once: whether the conditions hold now, and whether they have held without a break for the stated time.
    package mutating func look(_ live: LiveWindow, at now: Instant) -> (hold: Bool, haveHeld: Bool) {
        let hold = conditions.allSatisfy { probe, metric, condition in
            holds(condition, value(of: metric, probe, live, at: now))
        }
        guard hold else {
            heldSince = nil
            return (false, false)
        }
        let since = heldSince ?? now
        heldSince = since
        // The operations of a full window must have been seen: a window that is still filling proves less.
        return (true, now - since >= holdFor && now - startedAt >= holdFor)
    }

    /// The same look in words, for whoever reads it.
    package func read(_ live: LiveWindow, at now: Instant) -> Look {
        var look = Look()
        for (probe, metric, condition) in conditions {
            let value = value(of: metric, probe, live, at: now)
            look.add(Reading(probe: probe, condition: condition, value: value, holds: holds(condition, value)))
        }
        return look
    }

    private func holds(_ condition: MetricCondition, _ value: Quantity?) -> Bool {
        value.flatMap { condition.comparison.holds(for: $0) } ?? false
    }

    private func value(of metric: LiveMetric, _ probe: Label, _ live: LiveWindow, at now: Instant) -> Quantity? {
        // No older than the watch: what happened before the heal says nothing about recovery.
        let span = min(window, max(now - startedAt, .milliseconds(1)))
        return live.value(of: metric, probe: probe, over: span, at: now)
    }
}
