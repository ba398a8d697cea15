package import Basics
package import Contracts
package import Experiment

/// Stops a container and starts it again in one go: the shortest outage an orderly deployment makes.
package struct ContainerRestartFault: Fault {
    package struct Undo: Codable, Sendable, Hashable {
        package var container: HeldContainer
        /// How long the engine may take, whether or not anybody still waits for its answer.
        package var stopsWithin: Span
    }

    package static let kind = "container.restart"
    package static let requires: Set<Target.Attribute> = [.containerID]

    private static let timeout = Parameter<Span?>.optional(
        "timeout", .span, "time between the stop signal and SIGKILL, in full seconds; default: the container's own")
    package static let parameters: [any AnyParameter] = [timeout]

    package let timeout: Span?

    package init(from reader: inout ParameterReader) {
        timeout = reader.value(Self.timeout)
    }

    package var persistence: Persistence { .passing }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "restart container \(target.name)", undo: "start the container if it does not run",
            privileges: ["the Docker engine"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        Undo(
            container: try await PreparedContainer.running(target, for: Self.kind, in: context).held,
            stopsWithin: timeout ?? usualStopTimeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let engine = try context.services.require((any ContainerEngine).self)
        let sent = context.time.now
        let ended: InstantRange?
        if let process = try undo.container.process(in: context) {
            ended = try await exit(of: process, until: sent + .minutes(10), grace: .seconds(2), in: context) {
                () throws(FaultError) in
                try await engine.restart(undo.container.id, timeout: timeout)
            }
        } else {
            try await engine.restart(undo.container.id, timeout: timeout)
            ended = InstantRange(sent, context.time.now)
        }
        let details = try await engine.inspect(undo.container.id)
        let name = undo.container.name
        guard let ended, !undo.container.isSameStart(as: details) else {
            return .unproven("the engine restarted container \(name), and its first process runs on")
        }
        return .confirmed(
            ended, evidence: "container \(name): init pid \(undo.container.pid) ended, now \(details.pid)")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        try await undo.container.startAgain(in: context)
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        try await undo.container.notRunning(kind: kind, in: context)
    }

    package static func lateEffect(of undo: Undo) -> Span { undo.stopsWithin + .seconds(2) }

    package static func manualHeal(_ undo: Undo) -> [String] { ["docker start \(undo.container.name)"] }

    package static let manual = Manual(
        summary: "Restart a container",
        details: """
            What `docker restart` does. The effect is the exit of the old init process, seen through a pidfd opened
            first, and a new start that the engine reports. There is nothing to undo unless the container did not come
            up again: heal starts it if it does not run.
            """,
        example: """
            method:
              - {name: bounce, fault: container.restart, target: web, timeout: 5s}
            """)
}
