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

    /// Calls `body` at t0 + k × `every` until the task is cancelled; instants that pass while it runs are left out, never
    /// made up for.
    package func everyTick(_ every: Span, _ body: () async -> Void) async {
        var due = now
        while !Task.isCancelled {
            await body()
            due = nextTick(after: due, every: every, now: now)
            do throws(CancellationError) {
                try await sleep(until: due)
            } catch {
                return
            }
        }
    }
}

/// The next instant of the grid `due + k × every` that is not past yet.
private func nextTick(after due: Instant, every: Span, now: Instant) -> Instant {
    let next = due + every
    guard next < now else { return next }
    return next + every * ((now - next).nanoseconds / every.nanoseconds + 1)
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
