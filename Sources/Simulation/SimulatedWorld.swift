package import Basics
internal import Synchronization

/// One thread, a virtual clock, a seed: the same seed gives the same schedule, and hours pass in microseconds.
///
/// All tasks of a process prefer its executor; ready jobs are drawn in seeded random order. When nothing is ready, time
/// jumps to the next wait; when nobody waits either, the run is deadlocked, which is a finding. Works for structured
/// tasks and default actors; a job that another executor would resume escapes it.
package final class SimulatedWorld: TimeSource {
    static let wallOffset: Int64 = 1_795_000_000_000_000_000

    let scheduler: Scheduler
    private let processes = Mutex([SimulatedProcess]())
    /// The process of those who need no more than one.
    private let main: SimulatedProcess

    package init(seed: UInt64, startingAt start: Instant = Instant(nanoseconds: 1_000_000_000_000)) {
        scheduler = Scheduler(seed: seed, startingAt: start)
        main = SimulatedProcess("main", in: scheduler)
    }

    package var now: Instant { scheduler.now }
    package var wallClock: WallInstant { main.wallClock }
    /// A digest of everything that has run, in order.
    package var trace: UInt64 { scheduler.state.withLock { $0.trace } }
    package var jobs: Int { scheduler.state.withLock { $0.jobs } }

    package func sleep(until deadline: Instant) async throws(CancellationError) {
        try await main.sleep(until: deadline)
    }

    /// A further process of this world; it lives as long as the world.
    package func process(_ name: String) -> SimulatedProcess {
        let process = SimulatedProcess(name, in: scheduler)
        processes.withLock { $0.append(process) }
        return process
    }

    /// Lets something happen at an instant, whatever becomes of the processes.
    package func schedule(at instant: Instant, _ body: @escaping @Sendable () -> Void) {
        scheduler.schedule(at: instant, body)
    }

    /// Lets the world go on until `isDone`; false when it waits for something that will never come.
    package func run(until isDone: () -> Bool) -> Bool {
        while !isDone() {
            guard scheduler.step(unless: { _ in false }) else { return false }
        }
        return true
    }

    /// Lets the world go on until no process lives or the time is over; false when it waits for something that will never
    /// come.
    func runUntilQuiet(within limit: Instant) -> Bool {
        let isOver: (borrowing Scheduler.State) -> Bool = { $0.living == 0 || $0.now > limit }
        while scheduler.step(unless: isOver) {}
        return scheduler.state.withLock { isOver($0) }
    }

    /// Runs `body` to its end in this world; nil when it waits for something that will never come.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value? {
        let box = ResultBox<Value>()
        main.start { box.store(await body()) }
        _ = run { box.value != nil }
        return box.value
    }

    /// The processes that were started and are neither dead nor done.
    package var living: [String] {
        processes.withLock { $0 }.filter { $0.isStarted && !$0.isDead && !$0.isFinished }.map(\.name)
    }

    package var isQuiet: Bool { scheduler.state.withLock { $0.living == 0 } }

    package func killAll() {
        for process in processes.withLock({ $0 }) where !process.isFinished { process.kill() }
    }

    /// Kills every process and lets the ghosts unwind, so that a million worlds leave no task behind; the names of
    /// those that do not end.
    package func end() -> [String] {
        let all = processes.withLock { $0 }.filter(\.isStarted)
        for process in all { process.kill() }
        _ = run { all.allSatisfy(\.isFinished) }
        let stuck = all.filter { !$0.isFinished }.map(\.name)
        scheduler.clear()
        return stuck
    }
}

/// Carries the result out of the world.
private final class ResultBox<Value: Sendable>: Sendable {
    private let stored = Mutex(Value?.none)

    func store(_ value: Value) { stored.withLock { $0 = value } }
    var value: Value? { stored.withLock { $0 } }
}
