internal import Basics
package import Contracts
package import Experiment

/// Makes a replica of a Redis Cluster take over its primary's slots.
package struct ClusterFailoverFault: Fault {
    package enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
        case agreed
        case force
        case takeover
    }

    /// Who had the slots. A takeover cannot be taken back.
    package struct Undo: Codable, Sendable, Hashable {
        package var target: RedisTarget
        package var mode: Mode
        /// `host:port` of the primary as the replica knows it.
        package var primary: String
    }

    package static let kind = "redis.cluster-failover"
    package static let manual = Manual(
        summary: "Makes a replica of a Redis Cluster take over with CLUSTER FAILOVER.",
        details: """
            The target is a replica. With `mode: agreed` its primary stops writes until the replica has everything: no write \
            is lost. With `force` the primary is not asked, but the other primaries must vote; with `takeover` nobody is \
            asked, which works without a majority and may end in two owners. What the old primary acknowledged and had not \
            sent is lost with both. The effect is shown by the target itself, which must say master in ROLE and own slots in \
            CLUSTER NODES: the command's OK says nothing.

            It cannot be undone; the old primary becomes a replica by itself.
            """,
        example: """
            - {name: take-over, fault: redis.cluster-failover, target: cluster-replica, mode: force}
            """)
    private static let modeParameter = Parameter<Mode>.defaulted(
        "mode", .choice(.agreed), to: .agreed, written: "agreed", "Who must consent: the primary, the others, nobody.")
    private static let timeoutParameter = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(15), written: "15s", "How long the takeover may take.")
    package static let parameters: [any AnyParameter] = [modeParameter, timeoutParameter]
    package static let requires: Set<Target.Attribute> = [.redisURL]

    private let mode: Mode
    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        mode = reader.value(Self.modeParameter)
        timeout = reader.value(Self.timeoutParameter)
        if timeout < .seconds(1) {
            reader.diagnostics.error("timeout must be at least 1s", at: reader.location(of: Self.timeoutParameter.key))
        }
    }

    private static func command(_ mode: Mode) -> [String] {
        ["CLUSTER", "FAILOVER"] + (mode == .agreed ? [] : [mode.rawValue.uppercased()])
    }

    package var persistence: Persistence { .forGood }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "\(Self.command(mode).joined(separator: " ")) on \(target.name)",
            undo: "none: a takeover cannot be taken back",
            privileges: ["+cluster|failover +cluster|nodes +cluster|info +role"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let target = try RedisTarget(target)
        let role = try await target.call(["ROLE"], in: context, "reading the role").array ?? []
        guard role.first?.text == "slave", let primary = announcedAddress(Array(role.dropFirst())) else {
            throw FaultError(
                .notApplicable, "\(target.node) is no replica: there is nothing to take over",
                advice: target.command(["ROLE"]))
        }
        try await target.call(["CLUSTER", "INFO"], in: context, "asking for the cluster")
        return Undo(target: target, mode: mode, primary: primary)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let deadline = context.time.now + timeout
        while context.time.now < deadline {
            let begun = context.time.now
            try await undo.target.call(Self.command(undo.mode), in: context, "asking for a takeover")
            let watch = EffectWatch(context, within: min(Self.attempt, deadline - begun))
            let range = try await watch.firstTime(since: begun) { () async throws(FaultError) -> Bool in
                try await Self.ownsSlots(undo.target, context)
            }
            if let range {
                return .confirmed(range, evidence: "\(undo.target.node) owns the slots that \(undo.primary) had")
            }
        }
        return .unproven("\(undo.target.node) accepted the takeover, and owns no slots after \(timeout)")
    }

    /// A replica that was not elected gives up after five seconds (CLUSTER_MF_TIMEOUT), and has to be asked again.
    private static let attempt = Span.seconds(6)

    /// Its own line in CLUSTER NODES: `ID ADDRESS myself,master - 0 0 7 connected 0-5460`.
    private static func ownsSlots(_ target: RedisTarget, _ context: SystemContext) async throws(FaultError) -> Bool {
        let nodes = try await target.call(["CLUSTER", "NODES"], in: context, "looking at the slots").text ?? ""
        guard let own = nodes.split(whereSeparator: \.isNewline).first(where: { $0.contains("myself") }) else {
            return false
        }
        let fields = own.split(separator: " ")
        return fields.count > 8 && fields[2].split(separator: ",").contains("master")
    }

    /// Nothing to do: the old primary becomes a replica by itself.
    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {}

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? { nil }

    package static func manualHeal(_ undo: Undo) -> [String] { [] }
}
