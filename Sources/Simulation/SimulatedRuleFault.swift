internal import Basics
internal import Contracts
internal import Experiment

/// Cuts a node off with a rule in its network namespace, as the network faults will: kernel state with our mark, gone with
/// the namespace.
struct SimulatedRuleFault: Fault {
    struct Undo: Codable, Sendable {
        var container: String
        var start: Int
        var mark: String
    }

    static let kind = "simulated.rule"
    static let manual = Manual(summary: "", details: "", example: "")
    static let parameters: [any AnyParameter] = []
    static let requires: Set<Target.Attribute> = [.containerID]

    init(from reader: inout ParameterReader) {}

    func plan(for target: Target) -> PlannedOperation { PlannedOperation(operation: "", undo: "", privileges: []) }

    func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let container = try await SimulatedNamespace.read(target.name, in: context)
        if !container.rules.isEmpty { throw FaultError(.foreignState, "\(target.name) has rules already") }
        return Undo(container: target.name, start: container.start, mark: "squall \(context.run)")
    }

    func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let sent = context.time.now
        try await SimulatedNamespace.change(.rule, undo.container, undo.start, in: context) { state, index in
            state.addRule(undo.mark, to: index)
        }
        let found = try await SimulatedNamespace.read(undo.container, in: context)
        guard found.start == undo.start, found.rules.contains(undo.mark) else {
            return .unproven("the rule is not there")
        }
        return .confirmed(InstantRange(sent, context.time.now), evidence: "the rule was read back")
    }

    static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        try await SimulatedNamespace.change(.unrule, undo.container, undo.start, in: context) { state, index in
            state.removeRule(undo.mark, from: index)
        }
    }

    static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        guard let found = try await SimulatedNamespace.find(undo.container, in: context) else { return nil }
        guard found.start == undo.start, found.rules.contains(undo.mark) else { return nil }
        return Leftover(kind: kind, target: undo.container, description: "the rule is still there")
    }

    static func manualHeal(_ undo: Undo) -> [String] { ["remove the rule from \(undo.container)"] }
}

/// The network namespace of a container, as far as the simulated faults use it.
enum SimulatedNamespace {
    /// nil when the container is gone or has no process.
    static func find(
        _ name: String, in context: SystemContext
    ) async throws(FaultError) -> SimulatedContainer? {
        try await context.services.require(Caller.self).call(.read) { state in
            .success(state.index(of: name).map { state.containers[$0] }.flatMap { $0.hasProcess ? $0 : nil })
        }
    }

    static func read(_ name: String, in context: SystemContext) async throws(FaultError) -> SimulatedContainer {
        guard let found = try await find(name, in: context) else {
            throw FaultError(.notApplicable, "\(name) does not run")
        }
        return found
    }

    /// Changes the namespace of one start of a container; when that is gone, there is nothing to change.
    static func change(
        _ verb: Weather.Verb, _ name: String, _ start: Int, in context: SystemContext,
        _ body: @escaping @Sendable (inout SystemState, Int) -> Void
    ) async throws(FaultError) {
        try await context.services.require(Caller.self).call(verb, on: name, lie: ()) { state in
            if let index = state.index(of: name), state.containers[index].hasProcess,
                state.containers[index].start == start
            {
                body(&state, index)
            }
            return .success(())
        }
    }
}
