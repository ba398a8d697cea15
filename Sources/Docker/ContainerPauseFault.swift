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
        let frozen = try await freeze(undo, engine, until: sent + .seconds(15), in: context)
        let details = try await engine.inspect(undo.container.id)
        let name = undo.container.name
        guard details.state == .paused, undo.container.isSameStart(as: details) else {
            return .unproven("the engine reports container \(name) as \(details.state.text) after its pause")
        }
        guard undo.container.processStart != nil else {
            return .confirmed(
                InstantRange(sent, context.time.now), evidence: "the engine reports container \(name) as paused")
        }
        guard let frozen else {
            return .unproven("the engine paused container \(name), its freezer does not read frozen")
        }
        return .confirmed(frozen, evidence: "the freezer of container \(name) reads frozen, the engine paused")
    }

    /// Pauses while the freezer is watched; nil when it did not freeze, or when this machine cannot see it.
    ///
    /// The engine's answer comes long after the freeze, so that only the watch gives a narrow interval.
    private func freeze(
        _ undo: Undo, _ engine: any ContainerEngine, until deadline: Instant, in context: SystemContext
    ) async throws(FaultError) -> InstantRange? {
        guard undo.container.processStart != nil else {
            try await engine.pause(undo.container.id)
            return nil
        }
        let groups = try context.services.require((any ControlGroups).self)
        let container = undo.container
        let watched = await withTaskGroup(of: Result<InstantRange?, FaultError>.self) { group in
            defer { group.cancelAll() }
            group.addTask { await Self.watch(container, groups, until: deadline, in: context) }
            do throws(FaultError) {
                try await engine.pause(container.id)
            } catch {
                return Result<InstantRange?, FaultError>.failure(error)
            }
            return await group.next() ?? .success(nil)
        }
        return try watched.get()
    }

    /// From the start of the last look that saw it thawed to the end of the first that saw it frozen.
    private static func watch(
        _ container: HeldContainer, _ groups: any ControlGroups, until deadline: Instant, in context: SystemContext
    ) async -> Result<InstantRange?, FaultError> {
        var thawed = context.time.now
        while thawed < deadline {
            let began = context.time.now
            do throws(SystemError) {
                guard let state = try groups.freezer(of: container.pid) else { return .success(nil) }
                if state == .frozen { return .success(InstantRange(thawed, context.time.now)) }
            } catch {
                return .failure(
                    FaultError(
                        .unexpected, "the freezer of container \(container.name) cannot be read", underlying: error))
            }
            thawed = began
            do throws(FaultError) {
                try await pause(.milliseconds(1), in: context)
            } catch {
                return .failure(error)
            }
        }
        return .success(nil)
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
