package import Basics

/// One arrival of an open-loop plan: its number and the instant it is due, whenever it is really started.
package struct Arrival: Sendable, Hashable {
    /// 0, 1, 2, …: arrival k is due at t0 + k/rate.
    package var number: Int64
    package var due: Instant

    package init(number: Int64, due: Instant) {
        self.number = number
        self.due = due
    }
}

/// Paces arrivals by the clock alone: what the system under test does never delays, moves or drops one.
///
/// A probe that waits for a reply before it sends again stops asking exactly while the system is down (coordinated
/// omission). Arrival k is due at t0 + k/rate, computed from k each time, so that the plan cannot drift. After a stall
/// every overdue arrival is started at once, in order, with its true due instant; none is skipped.
package struct OpenLoop: Sendable, Hashable {
    package let start: Instant
    package let rate: Rate
    /// A scheduling gap of the pacer longer than this is reported as a `ProberStall`.
    package let stallThreshold: Span

    package init(start: Instant, rate: Rate, stallThreshold: Span = .milliseconds(250)) {
        self.start = start
        self.rate = rate
        self.stallThreshold = stallThreshold
    }

    /// When arrival `number` is due. Exact to a nanosecond for a hundred days of running (2^53 ns).
    package func due(_ number: Int64) -> Instant {
        start + Span(nanoseconds: Int64((Double(number) * 1e9 / rate.perSecond).rounded()))
    }

    /// How many operations may be in flight: an outage of one timeout must fit, so that the cap says "the prober is
    /// overrun" and not "the system is down". An arrival beyond it is recorded as failed with `sent` nil.
    package static func inFlightLimit(rate: Rate, timeout: Span) -> Int {
        max(1_000, Int((rate.perSecond * timeout.seconds).rounded(.up)))
    }

    /// Starts each arrival when it is due, until the task is cancelled; runs on the caller's actor.
    ///
    /// `arrive` must hand the work over and return: whatever it waits for delays the arrivals behind it, which the
    /// pacer then reports as its own stall, because it is one. A stall is the gap between the instant at which the
    /// pacer could have run (its sleep's deadline, or its last look at the clock) and the one at which it did; a system
    /// that does not answer leaves no such gap.
    package func run(
        time: any TimeSource, onStall: (ProberStall) -> Void, _ arrive: (Arrival) -> Void
    ) async {
        var next = Arrival(number: 0, due: due(0))
        var runnableSince = time.now
        while !Task.isCancelled {
            var now = time.now
            if next.due > now {
                do {
                    try await time.sleep(until: next.due)
                } catch {
                    return
                }
                runnableSince = max(runnableSince, next.due)
                now = time.now
            }
            if now - runnableSince > stallThreshold { onStall(ProberStall(from: runnableSince, to: now)) }
            runnableSince = now
            guard next.due <= now, !Task.isCancelled else { continue }
            arrive(next)
            next = Arrival(number: next.number + 1, due: due(next.number + 1))
        }
    }
}
