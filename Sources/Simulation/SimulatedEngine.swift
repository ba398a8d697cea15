internal import Basics
internal import Contracts
internal import Docker

/// The container engine of a world, as one process sees it: the real faults run on it.
struct SimulatedEngine: ContainerEngine {
    let caller: Caller
    /// Whether the processes of its containers are visible to this machine's kernel.
    let mayBeLocal: Bool
    let address = "simulated:engine"

    func version() async throws(FaultError) -> EngineVersion {
        throw Self.unknown("version")
    }

    func containers(_ scope: ContainerScope, labels: [String: String]) async throws(FaultError) -> [ContainerSummary] {
        try await caller.call(.read) { state in
            .success(
                state.containers.filter { $0.exists && (scope == .any || $0.hasProcess) }.map {
                    ContainerSummary(id: $0.id, name: $0.name, state: $0.state)
                })
        }
    }

    func inspect(_ container: String) async throws(FaultError) -> ContainerDetails {
        try await caller.call(.read) { state in
            state.index(of: container).map { .success(state.containers[$0].details) } ?? .failure(Self.none(container))
        }
    }

    func pause(_ container: String) async throws(FaultError) {
        try await change(.pause, container) { state, index in state.pause(index) }
    }

    func unpause(_ container: String) async throws(FaultError) {
        try await change(.unpause, container) { state, index in state.unpause(index) }
    }

    func kill(_ container: String, signal: Signal) async throws(FaultError) {
        let system = caller.system
        // Behind an engine nobody can read back whether a stopped process goes on: a lie about that cannot be found out.
        let verb: Weather.Verb = signal == .resume ? .unpause : .kill
        try await change(verb, container, mayLie: signal != .resume) { state, index in
            guard state.containers[index].hasProcess else {
                return FaultError(.notApplicable, "container \(container) is not running")
            }
            system.wake(state.signal(index, signal, byEngine: true))
            return nil
        }
    }

    func stop(_ container: String, timeout: Span?) async throws(FaultError) {
        let system = caller.system
        let patience = timeout.map { $0 + .seconds(30) } ?? .minutes(5)
        try await change(.stop, container, patience: patience) { state, index in
            if state.containers[index].state == .paused {
                return FaultError(.notApplicable, "container \(container) is paused")
            }
            system.wake(state.exit(index, code: 143, byEngine: true))
            return nil
        }
    }

    func start(_ container: String) async throws(FaultError) {
        try await change(.start, container, patience: .minutes(1)) { state, index in state.start(index) }
    }

    func restart(_ container: String, timeout: Span?) async throws(FaultError) {
        let system = caller.system
        let patience = timeout.map { $0 + .seconds(30) } ?? .minutes(5)
        try await change(.restart, container, patience: patience) { state, index in
            system.wake(state.exit(index, code: 143, byEngine: true))
            return state.start(index)
        }
    }

    func remove(_ container: String) async throws(FaultError) { throw Self.unknown("remove") }
    func top(_ container: String) async throws(FaultError) -> ProcessListing { throw Self.unknown("top") }
    func logs(_ container: String, tail: Int) async throws(FaultError) -> ContainerOutput {
        throw Self.unknown("logs")
    }
    func followEvents(_ handle: @Sendable (EngineEvent) -> Void) async throws(FaultError) {
        throw Self.unknown("events")
    }
    func rename(_ container: String, to name: String) async throws(FaultError) { throw Self.unknown("rename") }
    func create(_ name: String, from body: JSONValue) async throws(FaultError) -> String {
        throw Self.unknown("create")
    }
    func connect(_ container: String, toNetwork network: String, endpoint: JSONValue) async throws(FaultError) {
        throw Self.unknown("connect")
    }
    func execute(_ execution: Execution, in container: String, until deadline: Instant) async throws(FaultError)
        -> ExecutionResult
    {
        throw Self.unknown("exec")
    }

    private func change(
        _ verb: Weather.Verb, _ container: String, patience: Span = .seconds(15), mayLie: Bool = true,
        _ body: @escaping @Sendable (inout SystemState, Int) -> FaultError?
    ) async throws(FaultError) {
        try await caller.call(verb, on: container, patience: patience, lie: mayLie ? () : nil) { state in
            guard let index = state.index(of: container) else { return .failure(Self.none(container)) }
            return body(&state, index).map { .failure($0) } ?? .success(())
        }
    }

    private static func none(_ container: String) -> FaultError {
        FaultError(.notFound, "no such container: \(container)")
    }

    private static func unknown(_ what: String) -> FaultError {
        FaultError(.unexpected, "the simulated engine has no '\(what)'")
    }
}
