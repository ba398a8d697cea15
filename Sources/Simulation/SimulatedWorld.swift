package import Basics
internal import Synchronization

/// One thread, a virtual clock, a seed: the same seed gives the same schedule, and hours pass in microseconds.
///
/// All tasks of a run prefer this executor; ready jobs are drawn in seeded random order. When nothing is ready, time
/// jumps to the next sleeper; when nobody sleeps either, the run is deadlocked, which is a finding. Works for structured
/// tasks and default actors; a job that another executor would resume escapes it.
package final class SimulatedWorld: TaskExecutor, TimeSource {
    private struct Sleeper {
        var deadline: Instant
        var number: Int
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var now: Instant
        var ready: [UnownedJob] = []
        var sleepers: [Sleeper] = []
        var cancelled: Set<Int> = []
        var lastNumber = 0
        var generator: SeededGenerator
    }

    private let state: Mutex<State>
    private static let wallOffset: Int64 = 1_795_000_000_000_000_000

    package init(seed: UInt64, startingAt start: Instant = Instant(nanoseconds: 1_000_000_000_000)) {
        state = Mutex(State(now: start, generator: SeededGenerator(seed: seed)))
    }

    package var now: Instant { state.withLock { $0.now } }
    package var wallClock: WallInstant { WallInstant(nanoseconds: now.nanoseconds + Self.wallOffset) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        state.withLock { $0.ready.append(unowned) }
    }

    package func sleep(until deadline: Instant) async throws(CancellationError) {
        if Task.isCancelled { throw CancellationError() }
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let wasCancelled = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let sleeper = Sleeper(deadline: deadline, number: number, continuation: continuation)
                let resume = state.withLock { state in
                    if state.cancelled.remove(number) != nil { return true }
                    state.sleepers.append(sleeper)
                    return false
                }
                if resume { continuation.resume(returning: true) }
            }
        } onCancel: {
            wake(number)
        }
        if wasCancelled { throw CancellationError() }
    }

    private func wake(_ number: Int) {
        let sleeper = state.withLock { state -> Sleeper? in
            guard let index = state.sleepers.firstIndex(where: { $0.number == number }) else {
                state.cancelled.insert(number)
                return nil
            }
            return state.sleepers.remove(at: index)
        }
        sleeper?.continuation.resume(returning: true)
    }

    /// Runs `body` to its end in this world; nil when it waits for something that will never come.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value? {
        let box = ResultBox<Value>()
        Task(executorPreference: self) {
            let value = await body()
            box.store(value)
        }
        while box.value == nil {
            if let job = nextJob() {
                job.runSynchronously(on: asUnownedTaskExecutor())
            } else if let sleeper = nextSleeper() {
                sleeper.continuation.resume(returning: false)
            } else {
                return nil
            }
        }
        return box.value
    }

    private func nextJob() -> UnownedJob? {
        state.withLock { state in
            guard !state.ready.isEmpty else { return nil }
            let index = Int.random(in: 0..<state.ready.count, using: &state.generator)
            return state.ready.remove(at: index)
        }
    }

    private func nextSleeper() -> Sleeper? {
        state.withLock { state in
            guard
                let index = state.sleepers.indices.min(by: {
                    (state.sleepers[$0].deadline, state.sleepers[$0].number)
                        < (state.sleepers[$1].deadline, state.sleepers[$1].number)
                })
            else { return nil }
            let sleeper = state.sleepers.remove(at: index)
            state.now = max(state.now, sleeper.deadline)
            return sleeper
        }
    }
}

/// Carries the result out of the world.
private final class ResultBox<Value: Sendable>: Sendable {
    private let stored = Mutex(Value?.none)

    func store(_ value: Value) { stored.withLock { $0 = value } }
    var value: Value? { stored.withLock { $0 } }
}
