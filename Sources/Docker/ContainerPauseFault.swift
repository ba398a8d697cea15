internal import Basics
package import Contracts
package import Experiment

/// Freezes every process of a container: connections stay open and nothing answers, as in a machine that hangs.
package struct ContainerPauseFault: Fault {
    package struct Undo: Codable, Sendable, Hashable {
        package var container: HeldContainer
    }

    package static let kind = "container.pause"
    package static let requires: Set<Target.Attribute> = [.containerID]
    package static let parameters: [any AnyParameter] = []

    package init(from reader: inout ParameterReader) {}

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "freeze all processes of container \(target.name)", undo: "unpause it if it is still paused",
            privileges: ["the Docker engine"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        Undo(container: try await PreparedContainer.running(target, for: Self.kind, in: context).held)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let engine = try context.services.require((any ContainerEngine).self)
        let sent = context.time.now
        try await engine.pause(undo.container.id)
        let freezer = try freezer(undo, in: context)
        let seen = context.time.now
        let details = try await engine.inspect(undo.container.id)
        let name = undo.container.name
        guard details.state == .paused, undo.container.isSameStart(as: details) else {
            return .unproven("the engine reports container \(name) as \(details.state.text) after its pause")
        }
        switch freezer {
        case .frozen:
            return .confirmed(
                InstantRange(sent, seen), evidence: "the freezer of container \(name) reads frozen, the engine paused")
        case .freezing, .thawed:
            return .unproven("the engine paused container \(name), its freezer reads \(freezer?.rawValue ?? "nothing")")
        case nil:
            return .confirmed(
                InstantRange(sent, context.time.now), evidence: "the engine reports container \(name) as paused")
        }
    }

    /// nil when this machine cannot see the container's processes.
    private func freezer(_ undo: Undo, in context: SystemContext) throws(FaultError) -> FreezerState? {
        guard undo.container.processStart != nil else { return nil }
        let groups = try context.services.require((any ControlGroups).self)
        do throws(SystemError) {
            return try groups.freezer(of: undo.container.pid) ?? .thawed
        } catch {
            throw FaultError(
                .unexpected, "the freezer of container \(undo.container.name) cannot be read", underlying: error)
        }
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let engine = try context.services.require((any ContainerEngine).self)
        guard try await isStillPaused(undo, engine) else { return }
        do throws(FaultError) {
            try await engine.unpause(undo.container.id)
        } catch {
            // Somebody was faster, or the container went away in between: look again before calling it a failure.
            if try await isStillPaused(undo, engine) { throw error }
        }
    }

    private static func isStillPaused(
        _ undo: Undo, _ engine: any ContainerEngine
    ) async throws(FaultError) -> Bool {
        guard let details = try await undo.container.present(engine) else { return false }
        return details.state == .paused && undo.container.isSameStart(as: details)
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let engine = try context.services.require((any ContainerEngine).self)
        guard try await isStillPaused(undo, engine) else { return nil }
        return Leftover(
            kind: kind, target: undo.container.name, description: "container \(undo.container.name) is paused",
            commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] { ["docker unpause \(undo.container.name)"] }

    package static let manual = Manual(
        summary: "Freeze every process of a container with the kernel's freezer",
        details: """
            What `docker pause` does. Connections stay open, the kernel keeps acknowledging and buffering, and nothing
            answers: the hang that timeouts must catch. The effect is read back from the freezer of the container's
            control group (version 1 freezer.state, version 2 cgroup.events) and from the engine. Heal unpauses the same
            start of the same container if it is still paused; what the kernel has buffered is then delivered, which is
            a disturbance of its own. A container that is paused already is refused.
            """,
        example: """
            method:
              - {name: freeze, fault: container.pause, target: primary, duration: 30s}
            """)
}
