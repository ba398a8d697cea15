import Basics
import Synchronization

/// Virtual time for one sleeper: a sleep jumps to its deadline, plus the lateness scripted for it; past `end` it behaves
/// as a cancelled task does.
final class ScriptedTime: TimeSource {
    private struct State {
        var now: Instant
        var lateness: [(from: Instant, by: Span)]
    }

    private let state: Mutex<State>
    private let end: Instant

    /// The first sleep whose deadline is at or after `from` ends `by` late.
    init(start: Instant, end: Instant, lateness: [(from: Instant, by: Span)] = []) {
        state = Mutex(State(now: start, lateness: lateness))
        self.end = end
    }

    var now: Instant { state.withLock { $0.now } }
    var wallClock: WallInstant { WallInstant(nanoseconds: now.nanoseconds) }

    /// Time that passes while the code under test runs.
    func advance(by span: Span) { state.withLock { $0.now = $0.now + span } }

    func sleep(until deadline: Instant) async throws(CancellationError) {
        guard deadline <= end, !Task.isCancelled else { throw CancellationError() }
        state.withLock { state in
            state.now = max(state.now, deadline)
            guard let next = state.lateness.first, deadline >= next.from else { return }
            state.lateness.removeFirst()
            state.now = state.now + next.by
        }
    }
}
