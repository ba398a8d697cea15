internal import Synchronization

extension EventLoop {
    /// The kernel's clocks, with sleeps that end on the loop's thread.
    package struct Clock: TimeSource {
        private let loop: EventLoop
        private let system = SystemTimeSource()

        fileprivate init(_ loop: EventLoop) {
            self.loop = loop
        }

        package var now: Instant { system.now }
        package var wallClock: WallInstant { system.wallClock }

        package func sleep(until deadline: Instant) async throws(CancellationError) {
            let sleeper = Sleeper()
            let isDue = await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    guard sleeper.begin(continuation) else { return continuation.resume(returning: false) }
                    loop.schedule(at: deadline) { sleeper.end(isDue: true) }
                }
            } onCancel: {
                sleeper.end(isDue: false)
            }
            if !isDue { throw CancellationError() }
        }
    }

    package var clock: Clock { Clock(self) }

    /// One sleep: ends once, by its timer or by its task's cancellation, whichever comes first.
    private final class Sleeper: Sendable {
        private enum State {
            case new
            case asleep(CheckedContinuation<Bool, Never>)
            case over
        }

        private let state = Mutex(State.new)

        /// false: the task was cancelled before it slept.
        func begin(_ continuation: CheckedContinuation<Bool, Never>) -> Bool {
            state.withLock { state in
                guard case .new = state else { return false }
                state = .asleep(continuation)
                return true
            }
        }

        func end(isDue: Bool) {
            let continuation = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                defer { state = .over }
                if case .asleep(let continuation) = state { return continuation }
                return nil
            }
            continuation?.resume(returning: isDue)
        }
    }
}
