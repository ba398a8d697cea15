package import Basics
package import Contracts
package import Experiment

/// A change of leader through Patroni that does not ask the old leader.
package struct PatroniFailoverFault: Fault {
    package typealias Undo = LeaderChange

    package static let kind = "patroni.failover"
    package static let manual = Manual(
        summary: "Asks Patroni for a failover to a candidate, with or without a healthy leader.",
        details: """
            Sends POST /failover to the target, any member whose Patroni answers, and to the other `nodes` when it does \
            not. Patroni needs a candidate; without one the running replica with the smallest lag is taken. Unlike a \
            switchover it is accepted while the cluster has no leader.

            The effect begins when the old leader's own SQL no longer says primary (or, without a leader, when the new one \
            does) and is proven when another node's own SQL says primary on a newer timeline.

            The new timeline cannot be undone. With `switch-back: true` healing makes the old leader lead again.
            """,
        example: """
            - name: fail-over
              fault: patroni.failover
              target: replica
              candidate: pg-2
              nodes: {pg-1: "host=127.0.0.1 port=5001 user=postgres", pg-2: "host=127.0.0.1 port=5002 user=postgres"}
            """)
    package static let parameters: [any AnyParameter] = PatroniSettings.parameters
    package static let requires: Set<Target.Attribute> = [.patroniURL]

    private let settings: PatroniSettings

    package init(from reader: inout ParameterReader) {
        settings = PatroniSettings(from: &reader)
    }

    init(_ settings: PatroniSettings) {
        self.settings = settings
    }

    package var persistence: Persistence { settings.switchBack ? .untilHealed : .forGood }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "fail over to \(settings.candidate ?? "the replica with the smallest lag"): POST /failover "
                + "to \(target.name)",
            undo: settings.undoText, privileges: ["Patroni's REST API (restapi.authentication, if set)"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> LeaderChange {
        let members = try settings.members(target)
        let api = try PatroniAPI(members, in: context)
        let cluster = try await api.cluster()
        let replicas = cluster.filter { !$0.isLeader && $0.isRunning }
        let chosen =
            settings.candidate
            ?? replicas.min { ($0.lag ?? .max, $0.name) < ($1.lag ?? .max, $1.name) }?.name
        guard let chosen, replicas.contains(where: { $0.name == chosen }) else {
            throw FaultError(
                .notApplicable,
                "\(chosen ?? "no member") can take over: running replicas are "
                    + (replicas.isEmpty ? "none" : replicas.map(\.name).joined(separator: ", ")),
                advice: "curl -s \(members[0])/cluster")
        }
        return LeaderChange(
            leader: cluster.first(where: \.isLeader)?.name ?? "", candidate: chosen, members: members,
            system: try await api.system(), switchBack: settings.switchBack, nodes: settings.addresses)
    }

    package func inject(_ undo: LeaderChange, in context: SystemContext) async throws(FaultError) -> Effect {
        try await undo.perform("/failover", within: settings.timeout, in: context)
    }

    package static func heal(_ undo: LeaderChange, in context: SystemContext) async throws(FaultError) {
        try await undo.changeBack(in: context)
    }

    package static func leftover(
        of undo: LeaderChange, in context: SystemContext
    ) async throws(FaultError) -> Leftover? {
        try await undo.leftover(kind: kind, in: context)
    }

    package static func lateEffect(of undo: LeaderChange) -> Span { undo.lateEffect }

    package static func manualHeal(_ undo: LeaderChange) -> [String] { undo.manual }
}
