internal import Basics
internal import Contracts

/// How the service was before the fault: the measure for "back to normal".
struct Baseline {
    /// Latency that 95 % of the arrivals kept.
    let latency: Span
    /// Successes per second.
    let rate: Double

    /// Too few samples say nothing of a 95th percentile.
    static let fewestSamples = 100

    /// nil when fewer than 100 good arrivals were recorded before the fault.
    init?(_ operations: ProbeOperations, before effect: Instant) {
        let end = operations.position(dueFrom: effect)
        let latencies = operations[..<end].lazy.filter { $0.isGood && $0.end <= effect }.map { $0.latency.seconds }
        let statistics = OrderStatistics(Array(latencies))
        guard statistics.count >= Self.fewestSamples, let p95 = statistics.percentile(0.95),
            let first = operations.first?.due, effect > first
        else { return nil }
        latency = Span(seconds: p95)
        rate = Double(statistics.count) / (effect - first).seconds
    }

    /// The first arrival at or after `instant` from which on, for the hold window, 95 % of the arrivals are good and
    /// within 120 % of the baseline's latency (at least 1 ms more), at 80 % of its rate or better.
    func restored(in operations: ProbeOperations, from instant: Instant, hold: Span) -> Instant? {
        let limit = max(Span(nanoseconds: latency.nanoseconds / 5 * 6), latency + .milliseconds(1))
        let observed = operations.observedUntil ?? instant
        let start = operations.position(dueFrom: instant)
        let needed = rate * 0.8 * hold.seconds
        var end = start
        var normal = 0
        for position in start..<operations.count {
            let due = operations[position].due
            if due + hold > observed { return nil }
            while end < operations.count, operations[end].due <= due + hold {
                normal += isNormal(operations[end], limit) ? 1 : 0
                end += 1
            }
            if isNormal(operations[position], limit), Double(normal) >= 0.95 * Double(end - position),
                Double(normal) >= needed
            {
                return operations[position].end
            }
            normal -= isNormal(operations[position], limit) ? 1 : 0
        }
        return nil
    }

    private func isNormal(_ operation: Operation, _ limit: Span) -> Bool {
        operation.isGood && operation.latency <= limit
    }
}
