package import Basics
internal import Synchronization

/// One process of a simulated machine: the executor its tasks prefer, its clock, and its life.
///
/// It can be killed before any of its jobs and before or after any of its effects, frozen and continued. A killed one
/// still unwinds, but nothing it does from then on reaches the world.
package final class SimulatedProcess: TaskExecutor, TimeSource {
    /// When a process dies or stands still, counted in its own effects.
    package enum Blow: Sendable, Hashable {
        case killBefore(effect: Int)
        case killAfter(effect: Int)
        case freezeBefore(effect: Int, for: Span)
    }

    private struct State {
        var effects = 0
        var blows: [Blow] = []
    }

    package let name: String
    let scheduler: Scheduler
    let number: Int
    private let state = Mutex(State())

    init(_ name: String, in scheduler: Scheduler) {
        self.name = name
        self.scheduler = scheduler
        number = scheduler.register()
        scheduler.state.withLock { $0.processes[number].executor = asUnownedTaskExecutor() }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        scheduler.enqueue(UnownedJob(job), of: number)
    }

    // MARK: Time

    package var now: Instant { scheduler.now }
    package var wallClock: WallInstant { WallInstant(nanoseconds: now.nanoseconds + SimulatedWorld.wallOffset) }

    /// Like `wait`, and not by way of it: every async call in between costs a twentieth of a world's time.
    package func sleep(until deadline: Instant) async throws(CancellationError) {
        guard !Task.isCancelled, let token = scheduler.reserve(for: number) else { throw CancellationError() }
        let (scheduler, number) = (scheduler, number)
        let wake: Wake = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isParked = scheduler.park(token, continuation, until: deadline, process: number)
                if !isParked { continuation.resume(returning: .cancelled) }
            }
        } onCancel: {
            scheduler.wake(token, .cancelled)
        }
        if case .cancelled = wake { throw CancellationError() }
    }

    /// Waits until the deadline, the end of the task, or a `wake` with the token that `register` was handed.
    func wait(until deadline: Instant, register: (WaitToken) -> Void) async -> Wake {
        guard !Task.isCancelled, let token = scheduler.reserve(for: number) else { return .cancelled }
        register(token)
        let (scheduler, number) = (scheduler, number)
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isParked = scheduler.park(token, continuation, until: deadline, process: number)
                if !isParked { continuation.resume(returning: .cancelled) }
            }
        } onCancel: {
            scheduler.wake(token, .cancelled)
        }
    }

    // MARK: Life

    package var isDead: Bool { scheduler.life(of: number) == .dead }
    package var isFrozen: Bool { scheduler.life(of: number) == .frozen }
    /// Its first task has come to its end, be it as a ghost.
    package var isFinished: Bool { scheduler.state.withLock { $0.processes[number].isFinished } }
    package var isStarted: Bool { scheduler.state.withLock { $0.processes[number].root != nil } }
    /// Effects so far: journal writes and syncs, calls to the engine, signals, messages.
    package var effects: Int { state.withLock { $0.effects } }

    /// Starts the process; everything it does is structured below this task.
    package func start(_ body: @escaping @Sendable () async -> Void) {
        let (scheduler, number) = (scheduler, number)
        let root = Task(executorPreference: self) {
            await body()
            scheduler.finish(number)
        }
        scheduler.begin(number, root)
    }

    /// Called once when the process is gone, killed or at its end.
    func whenGone(_ body: @escaping @Sendable () -> Void) {
        scheduler.state.withLock { $0.processes[number].onEnd.append(body) }
    }

    /// From when to when it stood still, the last time.
    var lastHalt: InstantRange? { scheduler.state.withLock { $0.processes[number].lastHalt } }

    package func kill() { scheduler.kill(number) }
    package func freeze() { scheduler.freeze(number) }
    package func thaw() { scheduler.thaw(number) }

    /// Kills it before it runs its n-th job from now.
    package func killBeforeJob(_ count: Int) {
        scheduler.state.withLock { $0.processes[number].jobsToLive = max(1, count) }
    }

    package func plan(_ blow: Blow) { state.withLock { $0.blows.append(blow) } }

    /// Before every effect on the world: the effect's number, or nil when the process is dead, or dies here.
    func mayAct() async -> Int? {
        let (count, blows) = begin()
        for case .freezeBefore(count, let span) in blows {
            freeze()
            scheduler.schedule(at: now + span) { [self] in thaw() }
            // The job in hand ends here; the rest of the task is held until the process goes on.
            await Task.yield()
        }
        return isDead ? nil : count
    }

    /// The same for an effect that happens within a job: a signal, a message.
    func mayActAtOnce() -> Int? {
        let (count, _) = begin()
        return isDead ? nil : count
    }

    private func begin() -> (count: Int, blows: [Blow]) {
        let (count, blows) = state.withLock { state in
            state.effects += 1
            return (state.effects, state.blows)
        }
        if blows.contains(.killBefore(effect: count)) { kill() }
        scheduler.state.withLock { $0.mix(UInt64(count) &+ 0xEFFE_C700_0000) }
        return (count, blows)
    }

    /// After every effect: false when the process dies before it learns what came of it.
    func livesOn(after effect: Int) -> Bool {
        if state.withLock({ $0.blows.contains(.killAfter(effect: effect)) }) { kill() }
        return !isDead
    }
}
