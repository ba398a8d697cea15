package import Basics
package import Contracts
package import Experiment

/// Stops a container in order: SIGTERM (or its own stop signal), then SIGKILL after a time.
package struct ContainerStopFault: Fault {
    package struct Undo: Codable, Sendable, Hashable {
        package var container: HeldContainer
        /// How long the engine may take, whether or not anybody still waits for its answer.
        package var stopsWithin: Span
    }

    package static let kind = "container.stop"
    package static let requires: Set<Target.Attribute> = [.containerID]

    private static let timeout = Parameter<Span?>.optional(
        "timeout", .span, "time between the stop signal and SIGKILL, in full seconds; default: the container's own")
    package static let parameters: [any AnyParameter] = [timeout]

    package let timeout: Span?

    package init(from reader: inout ParameterReader) {
        timeout = reader.value(Self.timeout)
    }

    package func plan(for target: Target) -> PlannedOperation {
        let limit = timeout.map { ", SIGKILL after \($0)" } ?? ""
        return PlannedOperation(
            operation: "stop container \(target.name)\(limit)", undo: "start the container if it does not run",
            privileges: ["the Docker engine"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let prepared = try await PreparedContainer.running(target, for: Self.kind, in: context)
        try prepared.refuseRemovalOnExit(Self.kind)
        return Undo(container: prepared.held, stopsWithin: timeout ?? usualStopTimeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let engine = try context.services.require((any ContainerEngine).self)
        let sent = context.time.now
        let name = undo.container.name
        guard let process = try undo.container.process(in: context) else {
            try await engine.stop(undo.container.id, timeout: timeout)
            let details = try await engine.inspect(undo.container.id)
            guard details.state != .running else { return .unproven("container \(name) runs again after its stop") }
            return .confirmed(
                InstantRange(sent, context.time.now), evidence: "the engine reports container \(name) as stopped")
        }
        // The engine answers after the exit; the short wait covers the answer overtaking the pidfd.
        let ended = try await exit(of: process, until: sent + .minutes(10), grace: .seconds(2), in: context) {
            () throws(FaultError) in
            try await engine.stop(undo.container.id, timeout: timeout)
        }
        guard let ended else { return .unproven("the engine stopped container \(name), pid \(process.pid) lives on") }
        return .confirmed(ended, evidence: "pid \(process.pid), init of container \(name), exited (pidfd)")
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
        summary: "Stop a container in order, as a deployment would",
        details: """
            What `docker stop` does: the container's stop signal (SIGTERM unless its image says otherwise), then SIGKILL
            when it has not ended in time. The engine does not restart it by a restart policy. The effect is the exit of
            the init process, seen through a pidfd opened first. Heal starts the container if it exists and does not run.
            Containers started with --rm are refused.
            """,
        example: """
            method:
              - {name: stop, fault: container.stop, target: web, timeout: 5s, duration: 1m}
            """)
}

/// What the engine gives a container whose image and whose creator say nothing.
let usualStopTimeout = Span.seconds(10)
