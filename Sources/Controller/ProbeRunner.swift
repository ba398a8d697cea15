internal import Basics
internal import Contracts
internal import Synchronization

/// The run's probes at work: started together, stopped before the final reads, closed at the end.
final class ProbeRunner: Sendable {
    private let probes: [RunAssembly.NamedProbe]
    private let context: ProbeContext
    private let sessions = Mutex([any ProbeSession]())
    private let stopped = Gate()
    private let drained = Gate()

    init(_ probes: [RunAssembly.NamedProbe], context: ProbeContext) {
        self.probes = probes
        self.context = context
    }

    /// Opens every probe; throws the first failure, with those opened so far kept for `close`.
    func start() async throws(FaultError) {
        for named in probes {
            do throws(FaultError) {
                let session = try await named.probe.start(in: context)
                sessions.withLock { $0.append(session) }
            } catch {
                throw FaultError(
                    error.code, "probe '\(named.name)' cannot start: \(error.message)", advice: error.advice)
            }
        }
    }

    /// Samples until `stop`; returns when every probe has drained.
    func run() async {
        let sessions = sessions.withLock { $0 }
        await withTaskGroup(of: Void.self) { group in
            for session in sessions { group.addTask { await session.run() } }
            await stopped.wait()
            group.cancelAll()
        }
        drained.open()
    }

    /// Ends sampling and waits until what was in flight has ended. Safe when `run` was never called.
    func stop(wasRunning: Bool) async {
        stopped.open()
        if wasRunning { await drained.wait() }
    }

    func snapshot() async {
        await forEach { await $0.snapshot() }
    }

    func collect() async {
        await forEach { await $0.collect() }
    }

    /// Removes what the probes created; failures are returned, because the journal heals what is left.
    func close() async -> [FaultError] {
        var failures: [FaultError] = []
        for session in sessions.withLock({ $0 }) {
            do throws(FaultError) {
                try await session.close()
            } catch {
                failures.append(error)
            }
        }
        return failures
    }

    private func forEach(_ body: @escaping @Sendable (any ProbeSession) async -> Void) async {
        let sessions = sessions.withLock { $0 }
        await withTaskGroup(of: Void.self) { group in
            for session in sessions { group.addTask { await body(session) } }
        }
    }
}

/// Opens once; whoever waits passes from then on. A cancelled task does not wait: its run is over.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var lastNumber = 0
        /// In the order in which they came, and are let go: that of a table differs from process to process.
        var waiters: [(number: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters.removeAll() }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume() }
    }

    func wait() async {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let passes = state.withLock { state in
                    if state.isOpen || state.cancelled.remove(number) != nil { return true }
                    state.waiters.append((number, continuation))
                    return false
                }
                if passes { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
                if let index = state.waiters.firstIndex(where: { $0.number == number }) {
                    return state.waiters.remove(at: index).continuation
                }
                state.cancelled.insert(number)
                return nil
            }
            waiter?.resume()
        }
    }
}
