package import Contracts
package import Experiment

/// `docker: {labels: {app: web}}`: containers of the engine that the docker command would talk to.
package struct DockerTargetSource: TargetSource {
    private enum State: String, Sendable, CaseIterable {
        case running
        case any
    }

    package static let kind = "docker"
    package static let manual = Manual(
        summary: "Containers by name, regular expression, label, image or compose service",
        details: """
            Every condition that is written must hold; at least one is required, so that no typing error selects all.
            A regex must match the whole name. Only containers with a process are taken (running, paused, restarting)
            unless state is any. The engine is found as the docker command finds it: DOCKER_HOST, DOCKER_CONTEXT, the
            current context, the default socket.
            """,
        example: """
            targets:
              web: {docker: {labels: {app: web}, image: nginx}}
              one: {docker: {regex: "web-[0-9]+"}, mode: one}
            """)

    private static let state = Parameter<State>.defaulted(
        "state", .choice(.running), to: .running, written: "running", "running, or any to take stopped ones too")
    package static let parameters: [any AnyParameter] = ContainerSelector.parameters + [state]

    package let selector: ContainerSelector
    private let state: State

    package init(from reader: inout ParameterReader) {
        selector = ContainerSelector(from: &reader)
        state = reader.value(Self.state)
    }

    package func resolve(in context: SystemContext) async throws(FaultError) -> [Target] {
        let engine = try context.services.require((any ContainerEngine).self)
        let scope: ContainerScope =
            switch state {
            case .running: .running
            case .any: .any
            }
        let listed = try await engine.containers(scope, labels: selector.labelFilter)
        return selector.matching(listed).map(\.target)
    }

    package var summary: String {
        switch state {
        case .running: selector.summary
        case .any: "\(selector.summary); running or not"
        }
    }
}

extension ContainerSummary {
    /// The container as something a fault can be injected into.
    package var target: Target {
        Target(
            id: "container:\(id)", name: name, attributes: [.containerID: id, .containerName: name], labels: labels)
    }
}
