internal import Basics
package import Contracts
package import Experiment

/// Removes a container for good, as an operator's mistake or a lost machine would; a stopped twin waits for the heal.
package struct ContainerRemoveFault: Fault {
    package struct Undo: Codable, Sendable, Hashable {
        package var container: HeldContainer
        /// The twin's name until it takes the original's place. No configuration is written down: it may hold secrets.
        package var twinName: String
        package var run: String
    }

    package static let kind = "container.remove"
    package static let requires: Set<Target.Attribute> = [.containerID]
    package static let parameters: [any AnyParameter] = []
    static let twinPrefix = "squall-undo-"

    package init(from reader: inout ParameterReader) {}

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "create a stopped twin of container \(target.name), then remove the container; volumes stay",
            undo: "give the twin the name \(target.name) and start it", privileges: ["the Docker engine"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let prepared = try await PreparedContainer.running(target, for: Self.kind, in: context)
        try prepared.refuseRemovalOnExit(Self.kind)
        let twinName = Self.twinPrefix + prepared.held.id.prefix(12)
        let engine = try context.services.require((any ContainerEngine).self)
        if try await Self.named(twinName, engine) != nil {
            throw FaultError(
                .foreignState, "a container \(twinName) is left from an earlier run",
                advice: "squall heal, or by hand: docker rm \(twinName)")
        }
        return Undo(container: prepared.held, twinName: twinName, run: context.run)
    }

    // MARK: Inject

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let engine = try context.services.require((any ContainerEngine).self)
        let process = try undo.container.process(in: context)
        try await createTwin(undo, engine)
        let sent = context.time.now
        let name = undo.container.name
        var ended: InstantRange?
        if let process {
            ended = try await exit(of: process, until: sent + .minutes(2), grace: .seconds(2), in: context) {
                () throws(FaultError) in
                try await engine.remove(undo.container.id)
            }
        } else {
            try await engine.remove(undo.container.id)
            ended = InstantRange(sent, context.time.now)
        }
        if try await undo.container.present(engine) != nil {
            return .unproven("the engine still knows container \(name) after its removal")
        }
        guard let ended else { return .unproven("container \(name) is removed, its process was not seen to end") }
        return .confirmed(ended, evidence: "init of container \(name) ended, the engine does not know it any more")
    }

    /// A copy that is not started, from the same image as the original runs.
    private func createTwin(_ undo: Undo, _ engine: any ContainerEngine) async throws(FaultError) {
        let details = try await engine.inspect(undo.container.id)
        var twin = ContainerTwin(of: details, run: undo.run, image: nil)
        var id = try await engine.create(undo.twinName, from: twin.body)
        let image = details.document["Image"]?.string
        if let image, try await engine.inspect(id).document["Image"]?.string != image {
            // The tag means another image by now.
            try await engine.remove(id)
            twin = ContainerTwin(of: details, run: undo.run, image: image)
            id = try await engine.create(undo.twinName, from: twin.body)
        }
        for network in twin.furtherNetworks {
            try await engine.connect(id, toNetwork: network.name, endpoint: network.endpoint)
        }
    }

    // MARK: Heal

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let engine = try context.services.require((any ContainerEngine).self)
        let successor = try await named(undo.container.name, engine)
        guard let twin = try await named(undo.twinName, engine), isOurs(twin, undo) else {
            // Renamed by a heal that did not finish: only the start may be missing.
            if let successor, isOurs(successor, undo), isStartable(successor) { try await engine.start(successor.id) }
            // Or an engine that failed between killing and removing it.
            return try await undo.container.startAgain(in: context)
        }
        if let successor, try await !isVanishing(successor, undo, engine, context) {
            // Somebody has replaced it, or it is still there: the twin is not needed.
            try await engine.remove(twin.id)
            return try await undo.container.startAgain(in: context)
        }
        try await engine.rename(twin.id, to: undo.container.name)
        try await engine.start(twin.id)
    }

    /// Whether the original goes away within a moment: a removal whose sender has died may still be carried out, and a
    /// twin that was thrown away before that could not stand in for it.
    private static func isVanishing(
        _ successor: ContainerDetails, _ undo: Undo, _ engine: any ContainerEngine, _ context: SystemContext
    ) async throws(FaultError) -> Bool {
        guard successor.id == undo.container.id else { return false }
        let deadline = context.time.now + .seconds(2)
        while context.time.now < deadline {
            if try await undo.container.present(engine) == nil { return true }
            try await pause(.milliseconds(20), in: context)
        }
        return false
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let engine = try context.services.require((any ContainerEngine).self)
        let name = undo.container.name
        if let twin = try await named(undo.twinName, engine), isOurs(twin, undo) {
            return Leftover(
                kind: kind, target: name, description: "container \(name) is replaced by its stopped twin \(twin.name)",
                commands: manualHeal(undo))
        }
        guard let successor = try await named(name, engine), isOurs(successor, undo), isStartable(successor) else {
            return try await undo.container.notRunning(kind: kind, in: context)
        }
        return Leftover(
            kind: kind, target: name, description: "container \(name) is back and does not run",
            commands: ["docker start \(name)"])
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        ["docker rename \(undo.twinName) \(undo.container.name)", "docker start \(undo.container.name)"]
    }

    private static func named(
        _ name: String, _ engine: any ContainerEngine
    ) async throws(FaultError) -> ContainerDetails? {
        do throws(FaultError) {
            let details = try await engine.inspect(name)
            // The engine also takes the beginning of an id for a name.
            return details.name == name ? details : nil
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    private static func isOurs(_ details: ContainerDetails, _ undo: Undo) -> Bool {
        details.labels[ContainerTwin.label] == undo.container.id
    }

    private static func isStartable(_ details: ContainerDetails) -> Bool {
        switch details.state {
        case .created, .exited, .dead: true
        case .running, .paused, .restarting, .removing, .other: false
        }
    }

    package static let manual = Manual(
        summary: "Remove a container; its volumes stay",
        details: """
            Before the removal a stopped twin with the same image, configuration, networks, mounts and labels is
            created under the name squall-undo-<id>, marked with the label squall.undo. All volumes stay, anonymous ones
            too: the twin mounts them by name. Then the container is killed and removed. The effect is the exit of its
            init process and the engine's 404. Heal gives the twin the original name and starts it: same data, same
            name, a new id. When somebody has replaced the container in the meantime, heal only removes the twin.
            Nothing of the configuration is written to the journal, because the environment may hold secrets.
            """,
        example: """
            method:
              - {name: lose, fault: container.remove, target: replica, duration: 2m}
            """)
}
