package import Basics
internal import Contracts

/// How much of a window's plan was really carried out: a generator that stops asking must not look like a healthy system.
package struct ArrivalCoverage: Sendable, Hashable {
    /// Arrivals that say something.
    package var usable = 0
    package var good = 0
    /// Arrivals that the prober's own stalls spoiled.
    package var stalled = 0
    /// Arrivals that the plan holds but nobody made: gaps in the series, and the part of the window not yet observed.
    package var missing = 0
    /// How much of the window lies after the last arrival.
    package var unobserved = Span.zero

    /// A gap is one when it exceeds three intervals: arrivals are due on a grid, so it is no jitter.
    private static let gapFactor: Int64 = 3

    package init(_ operations: ProbeOperations, from start: Instant, until end: Instant) {
        let positions = operations.positions(from: start, until: end)
        let stalledInside = operations.stalled.filter { start <= $0 && $0 < end }
        stalled = stalledInside.count
        usable = positions.count
        let interval = max(operations.interval, Span(nanoseconds: 1))
        var distinct = 0
        var previous = start - interval
        var next = 0
        func visit(_ due: Instant) {
            if due > previous {
                distinct += 1
                if due - previous > interval * Self.gapFactor {
                    missing += Int((due - previous).nanoseconds / interval.nanoseconds) - 1
                }
                previous = due
            }
        }
        for position in positions {
            let operation = operations[position]
            good += operation.isGood ? 1 : 0
            while next < stalledInside.count, stalledInside[next] <= operation.due {
                visit(stalledInside[next])
                next += 1
            }
            visit(operation.due)
        }
        while next < stalledInside.count {
            visit(stalledInside[next])
            next += 1
        }
        unobserved = max(.zero, end - previous - interval)
        if unobserved > interval * Self.gapFactor { missing += Int(unobserved.nanoseconds / interval.nanoseconds) }
        if unobserved <= interval * Self.gapFactor { unobserved = .zero }
        // Probes with several operations per due instant miss as many of each.
        if distinct > 0 { missing = missing * (usable + stalled) / distinct }
    }

    /// All arrivals that the window's plan holds.
    package var planned: Int { usable + stalled + missing }
    /// Share of good arrivals among the usable ones; nil when there are none.
    package var share: Double? { usable > 0 ? Double(good) / Double(usable) : nil }
    /// Counting every arrival that says nothing as bad, then as good.
    package var lower: Double { planned > 0 ? Double(good) / Double(planned) : 0 }
    package var upper: Double { planned > 0 ? Double(good + stalled + missing) / Double(planned) : 1 }
}
