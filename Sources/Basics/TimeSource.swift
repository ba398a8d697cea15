internal import CLinux

/// The only place time comes from, so that a simulated world can own it.
package protocol TimeSource: Sendable {
    /// Orders events; monotonic.
    var now: Instant { get }
    /// For people and reports only; may step.
    var wallClock: WallInstant { get }
    /// Returns at or after `deadline`; throws only when the task is cancelled.
    func sleep(until deadline: Instant) async throws(CancellationError)
}

extension TimeSource {
    package func sleep(for span: Span) async throws(CancellationError) {
        try await sleep(until: now + span)
    }
}

/// The kernel's clocks.
package struct SystemTimeSource: TimeSource {
    package init() {}

    package var now: Instant { Instant(nanoseconds: squall_boottime()) }
    package var wallClock: WallInstant { WallInstant(nanoseconds: squall_realtime()) }

    package func sleep(until deadline: Instant) async throws(CancellationError) {
        // ContinuousClock is CLOCK_BOOTTIME on Linux, the clock of `now`; only the difference is handed over.
        let remaining = deadline - now
        guard remaining > .zero else {
            if Task.isCancelled { throw CancellationError() }
            return
        }
        do {
            try await Task.sleep(for: .nanoseconds(remaining.nanoseconds), tolerance: .zero, clock: .continuous)
        } catch {
            throw CancellationError()
        }
    }
}
