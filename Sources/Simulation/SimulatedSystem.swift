internal import Basics
internal import Contracts
internal import Docker
internal import Synchronization

/// The system under test of a world, shared by all its processes and by the machine they run on.
final class SimulatedSystem: Sendable {
    let scheduler: Scheduler
    private let state: Mutex<SystemState>

    init(_ initial: SystemState, scheduler: Scheduler) {
        self.scheduler = scheduler
        state = Mutex(initial)
    }

    /// Looks at or changes the truth as of now.
    func at<Result: Sendable>(_ body: (inout sending SystemState) -> sending Result) -> Result {
        let now = scheduler.now
        return state.withLock { state in
            state.advance(to: now)
            return body(&state)
        }
    }

    func wake(_ waits: [WaitToken]) {
        for wait in waits { scheduler.wake(wait, .signalled) }
    }
}

/// What became of a call, once it is known; and whether the caller still waits for it.
final class CallSlot<Value: Sendable>: Sendable {
    private let state = Mutex((result: Result<Value, FaultError>?.none, abandonedAt: Instant?.none))

    var result: Result<Value, FaultError>? { state.withLock { $0.result } }
    func store(_ result: Result<Value, FaultError>) { state.withLock { $0.result = result } }
    func abandon(at instant: Instant) { state.withLock { $0.abandonedAt = instant } }

    /// A server that has lost its client finishes what it has in hand within a second, and begins nothing new.
    func isWithdrawn(at instant: Instant) -> Bool {
        state.withLock { $0.abandonedAt.map { instant > $0 + .seconds(1) } ?? false }
    }
}

/// One process's way to call what is outside of it: with delays, failures, and its own death in between.
struct Caller: Sendable {
    let process: SimulatedProcess
    let system: SimulatedSystem

    /// Calls `body` at the moment in which the call takes effect; throws what the caller learns.
    func call<Value: Sendable>(
        _ verb: Weather.Verb, on target: String? = nil, patience: Span = .seconds(15), lie: Value? = nil,
        _ body: @escaping @Sendable (inout SystemState) -> Result<Value, FaultError>
    ) async throws(FaultError) -> Value {
        guard let effect = await process.mayAct() else { throw Self.dead }
        let (fate, boot) = system.at { state in
            if let target, verb.injects { state.requireIntent(verb, on: target) }
            return (state.weather.fate(of: verb, at: state.now), state.boot)
        }
        let slot = CallSlot<Value>()
        let wait: Span
        var failure: FaultError?
        switch fate {
        case .served(let reach, let answer):
            carryOut(slot, effect, boot, after: reach, body)
            wait = reach + answer
        case .cutOff(let reach, let error):
            carryOut(slot, effect, boot, after: reach, body)
            wait = reach + error
            failure = FaultError(.unreachable, "the connection broke")
        case .hangs(let reach):
            if let reach { carryOut(slot, effect, boot, after: reach, body) }
            wait = patience
            failure = FaultError(.timeout, "no answer")
        case .refused(let span):
            wait = span
            failure = FaultError(.unreachable, "connection refused")
        case .denied(let span):
            wait = span
            failure = FaultError(.denied, "not allowed")
        case .lied(let span):
            wait = span
            if let lie { slot.store(.success(lie)) } else { carryOut(slot, effect, boot, after: span, body) }
        }
        do throws(CancellationError) {
            try await process.sleep(until: process.now + wait)
        } catch {
            slot.abandon(at: process.now)
            throw Self.dead
        }
        guard process.livesOn(after: effect) else { throw Self.dead }
        if let failure {
            slot.abandon(at: process.now)
            throw failure
        }
        guard let result = slot.result else { throw FaultError(.unexpected, "the call was lost") }
        return try result.get()
    }

    private func carryOut<Value: Sendable>(
        _ slot: CallSlot<Value>, _ effect: Int, _ boot: Int, after span: Span,
        _ body: @escaping @Sendable (inout SystemState) -> Result<Value, FaultError>
    ) {
        let (process, system) = (process, system)
        system.scheduler.schedule(at: process.now + span) {
            guard !slot.isWithdrawn(at: process.now) else { return }
            let result = system.at { state in state.boot == boot ? body(&state) : nil }
            // What the machine had in hand when its power failed is gone with it.
            guard let result else { return }
            slot.store(result)
            // The change is made, and the caller dies before it hears of it.
            _ = process.livesOn(after: effect)
        }
    }

    static let dead = FaultError(.cancelled, "the process is dead")
}
