internal import Basics
internal import Contracts
internal import Experiment
internal import Synchronization

/// How the probes of a world look at its cluster.
struct ProbeCharacter: Sendable {
    var every = Span.seconds(1)
    /// Between two looks at the roles.
    var looksEvery = Span.seconds(1)
    var timeout = Span.seconds(2)
    /// The longest half way of a write.
    var leg = Span.milliseconds(10)
}

/// Writes to the simulated cluster as the real ledger does to PostgreSQL, and reads back in the end.
struct SimulatedLedger: Probe {
    static let kind = "simulated.ledger"
    static let manual = Manual(summary: "", details: "", example: "")
    static let parameters: [any AnyParameter] = []
    static let emits: Set<ObservationKind> = [.operations, .readBacks]

    let name: Label

    init(name: Label, from reader: inout ParameterReader) {
        self.name = name
    }

    func preflight(in context: SystemContext) async -> [Finding] { [] }

    func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        let caller = try context.system.services.require(Caller.self)
        let undo = SimulatedSchema.Undo(schema: "squall_\(context.system.run)")
        let document: JSONValue = .object(["schema": .string(undo.schema)])
        let id = try await context.journal(SimulatedSchema.kind, SimulatedSchema.target, document)
        try await caller.call(.schema, on: SimulatedSchema.target) { state in
            state.schemas.insert(undo.schema)
            return .success(())
        }
        return LedgerSession(
            name: name, character: try context.system.services.require(ProbeCharacter.self), context: context,
            caller: caller, undo: undo, mutation: id)
    }
}

/// What the ledger creates for itself.
struct SimulatedSchema: Mutation {
    struct Undo: Codable, Sendable { var schema: String }

    static let kind = "simulated.schema"
    static let target = "database"

    static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        try await context.services.require(Caller.self).call(.unrule, lie: ()) { state in
            state.schemas.remove(undo.schema)
            return .success(())
        }
    }

    static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let isThere = try await context.services.require(Caller.self).call(.read) { state in
            .success(state.schemas.contains(undo.schema))
        }
        return isThere ? Leftover(kind: kind, target: target, description: "schema \(undo.schema)") : nil
    }

    static func manualHeal(_ undo: Undo) -> [String] { ["drop schema \(undo.schema)"] }
}

/// The simulated ledger at work: one wake per write, whose outcome is recorded at the next.
private struct LedgerSession: ProbeSession {
    let name: Label
    let character: ProbeCharacter
    let context: ProbeContext
    let caller: Caller
    let undo: SimulatedSchema.Undo
    let mutation: MutationID

    private static let path: Label = "kept"

    func run() async {
        let process = caller.process
        let rate = Rate(perSecond: 1 / character.every.seconds)
        await OpenLoop(start: process.now + character.every, rate: rate).run(
            time: process, onStall: { context.system.record(.stall($0)) }
        ) { arrival in
            guard !process.isDead else { return }
            recordFinished { state in
                let leg = state.weather.span(upTo: character.leg) + .microseconds(100)
                state.cluster.begin(arrival.number + 1, due: arrival.due, timeout: character.timeout, leg: leg)
            }
        }
    }

    private func recordFinished(_ body: (inout SystemState) -> Void) {
        let (finished, now) = caller.system.at { state in
            body(&state)
            return (state.cluster.finished(), state.now)
        }
        // What ends while the prober stands still is stamped when it wakes up.
        let halt = caller.process.lastHalt
        for (write, node) in finished {
            guard var outcome = write.outcome else { continue }
            if let halt, halt.lower <= outcome.end, outcome.end <= halt.upper { outcome.end = min(halt.upper, now) }
            context.system.record(
                .operation(
                    Operation(
                        probe: name, path: Self.path, node: outcome.outcome == .ok ? node : .none, action: .write,
                        sequence: write.sequence, due: write.due, sent: write.sent, end: outcome.end,
                        outcome: outcome.outcome, reason: outcome.reason)))
        }
    }

    /// Waits for what is in flight, then reads what the node that clients reach holds.
    func collect() async {
        let process = caller.process
        guard (try? await process.sleep(for: character.timeout + .seconds(1))) != nil else { return }
        recordFinished { _ in }
        let deadline = process.now + .seconds(30)
        while !(await readBack(isLast: process.now >= deadline)) {
            guard (try? await process.sleep(for: .seconds(1))) != nil else { return }
        }
    }

    /// False when it is to be tried again.
    private func readBack(isLast: Bool) async -> Bool {
        var failure = ""
        var found: ClusterContent?
        do throws(FaultError) {
            found = try await caller.call(.read) { state in .success(state.readEndpoint()) }
            if found == nil { failure = "the endpoint leads to no primary" }
        } catch {
            failure = "\(error)"
        }
        if found == nil, !isLast { return false }
        context.system.record(
            .readBack(
                ReadBack(
                    probe: name, node: found?.node ?? "endpoint", stage: .final, at: caller.process.now,
                    isAuthoritative: true, present: found?.present ?? [], failure: failure)))
        return true
    }

    func close() async throws(FaultError) {
        try await SimulatedSchema.heal(undo, in: context.system)
        if let leftover = try await SimulatedSchema.leftover(of: undo, in: context.system) {
            throw FaultError(.unexpected, leftover.description)
        }
        try await context.closeJournal(mutation)
    }
}

/// What a node of the cluster holds.
struct ClusterContent: Sendable {
    var node: Label
    var present: [ClosedRange<Int64>]
}

extension SystemState {
    /// The content of the node that clients are led to; nil when it is no primary that serves.
    mutating func readEndpoint() -> ClusterContent? {
        let node = cluster.nodes[cluster.endpoint]
        guard node.isServing, node.role == .primary else { return nil }
        var present: [ClosedRange<Int64>] = []
        for sequence in node.log.map(\.sequence).sorted() {
            if let last = present.last, last.upperBound + 1 == sequence {
                present[present.count - 1] = last.lowerBound...sequence
            } else {
                present.append(sequence...sequence)
            }
        }
        let lost = cluster.truth.acknowledged.count { sequence in !present.contains { $0.contains(sequence) } }
        cluster.truth.note(lost: lost, isCurrent: cluster.endpoint == cluster.current)
        return ClusterContent(node: node.name, present: present)
    }
}
