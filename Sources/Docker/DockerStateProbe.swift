package import Basics
package import Contracts
package import Experiment

/// Watches containers: their state, health, restarts and exit code, with the engine's events on the timeline.
package struct DockerStateProbe: Probe {
    package static let kind = "docker.state"
    package static let emits: Set<ObservationKind> = [.states, .measurements]
    /// All of them rise as things get worse, because conditions look at the highest value.
    package static let metrics = ["down", "unhealthy", "restarts", "exit-code"]

    private static let every = Parameter<Span>.defaulted(
        "every", .span, to: .milliseconds(500), written: "500ms", "time between two looks")
    package static let parameters: [any AnyParameter] = ContainerSelector.parameters + [every]

    package let name: Label
    package let selector: ContainerSelector
    package let every: Span

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        selector = ContainerSelector(from: &reader)
        every = reader.value(Self.every)
        if every < .milliseconds(10) {
            reader.diagnostics.error("'every' must be at least 10ms", at: reader.location(of: Self.every.key))
        }
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            let engine = try context.services.require((any ContainerEngine).self)
            let listed = try await engine.containers(.any, labels: selector.labelFilter)
            guard selector.matching(listed).isEmpty else { return [] }
            return [
                Finding(.error, "probe '\(name)': no container matches (\(selector.summary))", advice: "docker ps -a")
            ]
        } catch {
            return [Finding(.error, "probe '\(name)': \(error.message)", advice: error.advice)]
        }
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        let engine = try context.system.services.require((any ContainerEngine).self)
        return DockerStateSession(self, engine, context.system)
    }

    package static let manual = Manual(
        summary: "State, health, restarts and exit code of containers",
        details: """
            Each selected container is a node under its name. Its states are the engine's own (running, paused, exited,
            restarting, dead, created, removing) or unreachable when the engine did not answer or the container is gone;
            the detail is its health. Per node: down (1 unless it runs), unhealthy (1 unless it runs and its health check, if
            it has one, says healthy), restarts (by the restart policy), exit-code. Conditions take the worst node, which
            is the highest value: {down: 0} holds only when every container runs. start, die, pause, oom and health events become notes on the timeline.
            """,
        example: """
            probes:
              web: {type: docker.state, labels: {app: web}, every: 250ms}
            steady-state-hypothesis:
              for: 5s
              probes: [{probe: web, tolerance: {down: 0, unhealthy: 0}}]
            """)
}
