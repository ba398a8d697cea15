internal import Basics
internal import Contracts
internal import Experiment

/// Sets a kernel setting that bears no mark: its undo is the absolute value from before, so that several on one target
/// must be healed in reverse.
struct SimulatedSettingFault: Fault {
    struct Undo: Codable, Sendable {
        var container: String
        var start: Int
        var before: Int
        var value: Int
    }

    static let kind = "simulated.setting"
    static let manual = Manual(summary: "", details: "", example: "")
    static let parameters: [any AnyParameter] = []
    static let requires: Set<Target.Attribute> = [.containerID]

    init(from reader: inout ParameterReader) {}

    func plan(for target: Target) -> PlannedOperation { PlannedOperation(operation: "", undo: "", privileges: []) }

    func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let found = try await SimulatedNamespace.read(target.name, in: context)
        return Undo(
            container: target.name, start: found.start, before: found.setting, value: found.setting + 1)
    }

    func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let sent = context.time.now
        try await SimulatedNamespace.change(.rule, undo.container, undo.start, in: context) { state, index in
            if state.containers[index].setting == undo.before { state.set(undo.value, on: index) }
        }
        let found = try await SimulatedNamespace.read(undo.container, in: context)
        guard found.start == undo.start, found.setting == undo.value else { return .unproven("the setting is another") }
        return .confirmed(InstantRange(sent, context.time.now), evidence: "the setting was read back")
    }

    static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        try await SimulatedNamespace.change(.unrule, undo.container, undo.start, in: context) { state, index in
            if state.containers[index].setting == undo.value { state.set(undo.before, on: index) }
        }
    }

    static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        guard let found = try await SimulatedNamespace.find(undo.container, in: context) else { return nil }
        guard found.start == undo.start, found.setting == undo.value else { return nil }
        return Leftover(kind: kind, target: undo.container, description: "the setting is \(found.setting)")
    }

    static func manualHeal(_ undo: Undo) -> [String] { ["set \(undo.container) to \(undo.before)"] }
}
