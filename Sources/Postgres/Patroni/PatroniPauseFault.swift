internal import Basics
package import Contracts
package import Experiment

/// Puts a Patroni cluster into maintenance: nobody fails over while it lasts.
package struct PatroniPauseFault: Fault {
    package struct Undo: Codable, Sendable, Hashable {
        /// Base URLs of the members' Patroni APIs.
        package var members: [String]
        /// Always false: a cluster that is paused already is refused.
        package var wasPaused: Bool
        /// What stands beside our pause in the cluster's configuration: a pause without it is not ours.
        package var mark: String
    }

    /// The key of our mark. Patroni keeps keys that it does not know.
    static let markKey = "squall_pause"

    package static let kind = "patroni.pause"
    package static let manual = Manual(
        summary: "Pauses a Patroni cluster (maintenance mode), so that it does not fail over by itself.",
        details: """
            Sends PATCH /config with pause: true to the target, or to the other `nodes` when it does not answer. The effect \
            is shown by the cluster's configuration read back. It takes each member until its next round (loop_wait) to \
            obey.

            A key squall_pause with the run's id stands beside it. Healing removes both again; a pause without our key, or \
            with another run's, is left alone. A cluster that is paused already is refused.
            """,
        example: """
            - {name: pause, fault: patroni.pause, target: primary, duration: 1m}
            """)
    private static let nodesParameter = Parameter<[NamedValue<NodeAddress>]>.defaulted(
        "nodes", .map(NodeAddress.type), to: [], written: "none",
        "Other members whose Patroni may be asked, above all for the healing, when the target does not answer.")
    package static let parameters: [any AnyParameter] = [nodesParameter]
    package static let requires: Set<Target.Attribute> = [.patroniURL]

    private let nodes: [NamedValue<NodeAddress>]

    package init(from reader: inout ParameterReader) {
        nodes = reader.value(Self.nodesParameter)
    }

    init(nodes: [NamedValue<NodeAddress>]) {
        self.nodes = nodes
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "pause the Patroni cluster of \(target.name): PATCH /config "
                + "{\"pause\": true, \"\(Self.markKey)\": RUN}",
            undo: "PATCH /config {\"pause\": null, \"\(Self.markKey)\": null}",
            privileges: ["Patroni's REST API (restapi.authentication, if set)"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        guard let own = target.attributes[.patroniURL] else {
            throw FaultError(
                .notApplicable, "target \(target.name) has no Patroni API",
                advice:
                    "give the node of the postgres.roles probe a patroni URL: {dsn: \"…\", patroni: \"http://…:8008\"}")
        }
        let members = [own] + nodes.compactMap(\.value.patroniURL).filter { $0 != own }
        guard try await !PatroniAPI(members, in: context).isPaused() else {
            throw FaultError(
                .foreignState, "the Patroni cluster of \(target.name) is paused already, and not by this run",
                advice: "curl -s -X PATCH \(own)/config -d '{\"pause\": null}'")
        }
        return Undo(members: members, wasPaused: false, mark: context.run)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let api = try PatroniAPI(undo.members, in: context)
        let begun = context.time.now
        try await api.patchConfiguration(.object(["pause": .boolean(true), Self.markKey: .string(undo.mark)]))
        let range = try await EffectWatch(context, every: .milliseconds(50), within: PostgresTarget.patience)
            .firstTime(since: begun) { () async throws(FaultError) -> Bool in try await api.isPaused() }
        guard let range else { return .unproven("Patroni took the change, but its configuration does not say pause") }
        return .confirmed(range, evidence: "Patroni's configuration says pause: true")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let api = try PatroniAPI(undo.members, in: context)
        guard try await bearsMark(undo, api) else { return }
        try await api.patchConfiguration(.object(["pause": .null, markKey: .null]))
    }

    private static func bearsMark(_ undo: Undo, _ api: PatroniAPI) async throws(FaultError) -> Bool {
        try await api.configuration()[markKey]?.string == undo.mark
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        guard try await bearsMark(undo, PatroniAPI(undo.members, in: context)) else { return nil }
        return Leftover(
            kind: kind, target: undo.members.first ?? "", description: "the Patroni cluster is paused",
            commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        [
            "curl -s -X PATCH \(undo.members.first ?? "http://PATRONI:8008")/config -d '{\"pause\": null, \"\(markKey)\": null}'"
        ]
    }
}
