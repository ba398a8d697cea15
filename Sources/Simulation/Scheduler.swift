internal import Basics
internal import Synchronization

/// Why a wait in the simulated world ended.
enum Wake: Sendable {
    case deadline
    case cancelled
    /// What was waited for has happened.
    case signalled
}

/// One wait, so that it can be ended early; a later wait in the same slot is another one.
struct WaitToken: Sendable, Hashable {
    var slot: Int
    var number: UInt64
}

/// The one thread and the one clock of a world: what runs next is drawn from the seed.
///
/// Ready jobs of all living processes are in one list. Jobs of a killed process run first, by themselves and without a
/// draw: they are a ghost that only gives its memory back, and must not change what the living do.
final class Scheduler: Sendable {
    enum Life: Sendable {
        case alive
        case frozen
        case dead
    }

    struct Process: Sendable {
        var life = Life.alive
        /// nil only while the process is being made.
        var executor: UnownedTaskExecutor?
        var root: Task<Void, Never>?
        var isFinished = false
        var isRunning: Bool { root != nil && life != .dead && !isFinished }
        /// Jobs and wakes that came while it was frozen.
        var heldJobs: [UnownedJob] = []
        var heldWaits: [UnsafeContinuation<Wake, Never>] = []
        var frozenAt: Instant?
        var lastHalt: InstantRange?
        /// What the kernel does when the process is gone: locks are let go, sockets end.
        var onEnd: [@Sendable () -> Void] = []
        /// Killed before it runs its n-th job from now.
        var jobsToLive = Int.max
    }

    enum Waiting: Sendable {
        case nothing
        case reserved
        case cancelledEarly
        case wait(UnsafeContinuation<Wake, Never>, process: Int)
        case event(@Sendable () -> Void)
    }

    struct Slot: Sendable {
        var number: UInt64 = 0
        var waiting = Waiting.nothing
    }

    struct State: Sendable {
        var now: Instant
        var processes: [Process] = []
        var generator: SeededGenerator
        /// A digest of everything that ran, in order: two runs of one seed must agree on it.
        var trace: UInt64 = 0xCBF2_9CE4_8422_2325
        var jobs = 0
        /// Processes that were started and are neither dead nor done.
        var living = 0
        var ready: [(job: UnownedJob, process: Int)] = []
        var ghosts: [(job: UnownedJob, process: Int)] = []
        var doomed: [Int] = []
        var timers = TimerHeap()
        var slots: [Slot] = []
        var freeSlots: [Int] = []
        var lastNumber: UInt64 = 0
        var ghostJobs = 0

        mutating func mix(_ value: UInt64) { trace = (trace ^ value) &* 0x100_0000_01B3 }
    }

    let state: Mutex<State>
    /// The state's `now` for whoever only asks for the time, which a world does more often than anything else.
    let clock: Atomic<Int64>

    init(seed: UInt64, startingAt start: Instant) {
        state = Mutex(State(now: start, generator: SeededGenerator(seed: seed)))
        clock = Atomic(start.nanoseconds)
    }

    var now: Instant { Instant(nanoseconds: clock.load(ordering: .relaxed)) }

    // MARK: Processes

    func register() -> Int {
        state.withLock { state in
            state.processes.append(Process())
            return state.processes.count - 1
        }
    }

    func begin(_ process: Int, _ root: Task<Void, Never>) {
        state.withLock { state in
            state.processes[process].root = root
            if state.processes[process].isRunning { state.living += 1 }
        }
    }

    func finish(_ process: Int) {
        state.withLock { state in
            if state.processes[process].isRunning { state.living -= 1 }
            state.processes[process].isFinished = true
        }
        for body in takeEnd(of: process) { body() }
    }

    func enqueue(_ job: UnownedJob, of process: Int) {
        state.withLock { state in
            switch state.processes[process].life {
            case .alive: state.ready.append((job, process))
            case .frozen: state.processes[process].heldJobs.append(job)
            case .dead: state.ghosts.append((job, process))
            }
        }
    }

    func life(of process: Int) -> Life { state.withLock { $0.processes[process].life } }

    /// From now on nothing of the process reaches the world; its tasks are cancelled before the next job runs. Never called
    /// under a lock.
    func kill(_ process: Int) {
        let held = state.withLock { state -> [UnsafeContinuation<Wake, Never>]? in
            guard state.processes[process].life != .dead else { return nil }
            state.mix(0xDEAD)
            if state.processes[process].isRunning { state.living -= 1 }
            state.processes[process].life = .dead
            state.ghosts += state.processes[process].heldJobs.map { ($0, process) }
            state.ghosts += state.ready.filter { $0.process == process }
            state.ready.removeAll { $0.process == process }
            state.doomed.append(process)
            defer {
                state.processes[process].heldJobs = []
                state.processes[process].heldWaits = []
            }
            return state.processes[process].heldWaits
        }
        guard let held else { return }
        for body in takeEnd(of: process) { body() }
        for continuation in held { continuation.resume(returning: .cancelled) }
    }

    func freeze(_ process: Int) {
        state.withLock { state in
            guard state.processes[process].life == .alive else { return }
            state.mix(0xF4EE)
            state.processes[process].frozenAt = state.now
            state.processes[process].life = .frozen
            state.processes[process].heldJobs += state.ready.filter { $0.process == process }.map(\.job)
            state.ready.removeAll { $0.process == process }
        }
    }

    func thaw(_ process: Int) {
        let held = state.withLock { state -> [UnsafeContinuation<Wake, Never>] in
            guard state.processes[process].life == .frozen else { return [] }
            state.mix(0x7A11)
            state.processes[process].lastHalt = InstantRange(state.processes[process].frozenAt ?? state.now, state.now)
            state.processes[process].life = .alive
            state.ready += state.processes[process].heldJobs.map { ($0, process) }
            defer {
                state.processes[process].heldJobs = []
                state.processes[process].heldWaits = []
            }
            return state.processes[process].heldWaits
        }
        for continuation in held { continuation.resume(returning: .deadline) }
    }

    /// What follows once the process is gone; taken once.
    func takeEnd(of process: Int) -> [@Sendable () -> Void] {
        state.withLock { state in
            defer { state.processes[process].onEnd = [] }
            return state.processes[process].onEnd
        }
    }

    /// Forgets what was still to come: it holds on to the world that holds on to it.
    func clear() {
        state.withLock { state in
            state.timers = TimerHeap()
            state.slots = []
            state.freeSlots = []
            for index in state.processes.indices {
                state.processes[index].onEnd = []
                state.processes[index].root = nil
            }
        }
    }

    // MARK: Waiting

    /// nil: the process is dead.
    func reserve(for process: Int) -> WaitToken? {
        state.withLock { $0.processes[process].life == .dead ? nil : $0.reserve() }
    }

    /// False when the wait was cancelled before it began.
    func park(
        _ token: WaitToken, _ continuation: UnsafeContinuation<Wake, Never>, until deadline: Instant, process: Int
    ) -> Bool {
        state.withLock { state in
            guard case .reserved = state.slots[token.slot].waiting else {
                state.release(token.slot)
                return false
            }
            state.slots[token.slot].waiting = .wait(continuation, process: process)
            state.timers.push(
                TimerHeap.Entry(deadline: deadline.nanoseconds, number: token.number, slot: token.slot))
            return true
        }
    }

    func wake(_ token: WaitToken, _ reason: Wake) {
        let continuation = state.withLock { state -> UnsafeContinuation<Wake, Never>? in
            guard state.slots[token.slot].number == token.number else { return nil }
            switch state.slots[token.slot].waiting {
            case .reserved:
                state.slots[token.slot].waiting = .cancelledEarly
                return nil
            case .wait(let continuation, _):
                state.release(token.slot)
                return continuation
            case .nothing, .cancelledEarly, .event: return nil
            }
        }
        continuation?.resume(returning: reason)
    }

    /// Something that happens in the world by itself, whatever becomes of the process that set it off.
    func schedule(at instant: Instant, _ body: @escaping @Sendable () -> Void) {
        state.withLock { state in
            let token = state.reserve()
            state.slots[token.slot].waiting = .event(body)
            state.timers.push(
                TimerHeap.Entry(deadline: instant.nanoseconds, number: token.number, slot: token.slot))
        }
    }
}

extension Scheduler.State {
    mutating func reserve() -> WaitToken {
        lastNumber += 1
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slots.append(Scheduler.Slot())
            slot = slots.count - 1
        }
        slots[slot] = Scheduler.Slot(number: lastNumber, waiting: .reserved)
        return WaitToken(slot: slot, number: lastNumber)
    }

    mutating func release(_ slot: Int) {
        slots[slot].waiting = .nothing
        freeSlots.append(slot)
    }
}
