package import Basics
package import Contracts
package import Experiment

/// A planned change of leader through Patroni.
package struct PatroniSwitchoverFault: Fault {
    package typealias Undo = LeaderChange

    package static let kind = "patroni.switchover"
    package static let manual = Manual(
        summary: "Asks Patroni for a switchover: a planned change of leader without loss.",
        details: """
            Sends POST /switchover to the target, which must be the leader. `candidate` names the new one. Patroni shuts the \
            old leader down cleanly, waits for the candidate and promotes it.

            The effect begins when the old leader's own SQL no longer says primary, and is proven when another node's own \
            SQL says primary on a newer timeline; `nodes` lists where to ask. Patroni's answer alone proves nothing.

            The new timeline cannot be undone. With `switch-back: true` healing makes the old leader lead again, which is \
            a second switchover with an interruption of its own.
            """,
        example: """
            - name: switch
              fault: patroni.switchover
              target: primary
              candidate: pg-2
              nodes: {pg-1: "host=127.0.0.1 port=5001 user=postgres", pg-2: "host=127.0.0.1 port=5002 user=postgres"}
            - name: there-and-back
              fault: patroni.switchover
              target: primary
              nodes: {pg-1: "host=127.0.0.1 port=5001 user=postgres", pg-2: "host=127.0.0.1 port=5002 user=postgres"}
              candidate: pg-2
              switch-back: true
              duration: 1m
            """)
    package static let parameters: [any AnyParameter] = PatroniSettings.parameters
    package static let requires: Set<Target.Attribute> = [.node, .patroniURL]

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
            operation:
                "switch over from \(target.name)\(settings.candidate.map { " to \($0)" } ?? ""): POST /switchover",
            undo: settings.undoText, privileges: ["Patroni's REST API (restapi.authentication, if set)"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> LeaderChange {
        let members = try settings.members(target)
        let node = target.attributes[.node] ?? target.name
        let api = try PatroniAPI(members, in: context)
        let cluster = try await api.cluster()
        let leader = cluster.first(where: \.isLeader)?.name
        guard leader == node else {
            throw FaultError(
                .notApplicable, "\(node) does not lead the Patroni cluster, \(leader ?? "nobody") does",
                advice: "take the target from the roles probe: {from: roles, is: primary}")
        }
        if settings.candidate == nil, try await api.isPaused() {
            throw FaultError(
                .notApplicable, "the Patroni cluster of \(node) is paused: it switches over to a named candidate only",
                advice:
                    "add candidate: NAME to the step, or: curl -s -X PATCH \(members[0])/config -d '{\"pause\": null}'")
        }
        if let candidate = settings.candidate {
            let member = cluster.first { $0.name == candidate }
            guard member?.isRunning == true, candidate != node else {
                throw FaultError(
                    .notApplicable,
                    "\(candidate) cannot lead: it is \(member?.state ?? "no member"), and \(node) leads",
                    advice: "curl -s \(members[0])/cluster")
            }
        }
        return LeaderChange(
            leader: node, candidate: settings.candidate, members: members, system: try await api.system(),
            switchBack: settings.switchBack, nodes: settings.addresses)
    }

    package func inject(_ undo: LeaderChange, in context: SystemContext) async throws(FaultError) -> Effect {
        try await undo.perform("/switchover", within: settings.timeout, in: context)
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
