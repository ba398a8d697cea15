internal import Basics
package import Contracts
package import Experiment

/// Asks a Sentinel for a failover without the others' consent, and watches the promotion.
package struct SentinelFailoverFault: Fault {
    /// Who was the primary. A promotion cannot be taken back.
    package struct Undo: Codable, Sendable, Hashable {
        package var target: RedisTarget
        package var master: String
        /// `host:port` as the Sentinel names it.
        package var primary: String
        package var epoch: Int64
        package var timeoutMilliseconds: Int64
    }

    package static let kind = "redis.sentinel-failover"
    package static let manual = Manual(
        summary: "Forces a failover with SENTINEL FAILOVER and watches it through.",
        details: """
            Sends SENTINEL FAILOVER to the target, a Sentinel that a redis.sentinels probe reports. It promotes a replica \
            although the primary is well, without asking the other Sentinels. The effect is that this \
            Sentinel names another primary, with a newer configuration epoch, within `timeout`: a failover that was aborted \
            is none. Nothing is proven by the command's OK.

            The old primary goes on taking writes of clients that stay with it until a Sentinel makes it a replica, some \
            ten seconds later: those writes are acknowledged and lost. A redis.ledger with `pinned-rate` counts them.

            The promotion cannot be undone; the old primary comes back as a replica by itself.
            """,
        example: """
            - {name: fail-over, fault: redis.sentinel-failover, target: sentinel, master: cache}
            """)
    private static let masterParameter = Parameter<String>.defaulted(
        "master", .text, to: "mymaster", written: "mymaster", "The name under which Sentinels watch the primary.")
    private static let timeoutParameter = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(30), written: "30s", "How long the failover may take.")
    package static let parameters: [any AnyParameter] = [masterParameter, timeoutParameter]
    package static let requires: Set<Target.Attribute> = [.redisURL]

    private let master: String
    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        master = reader.value(Self.masterParameter)
        timeout = reader.value(Self.timeoutParameter)
        if timeout < .seconds(1) {
            reader.diagnostics.error("timeout must be at least 1s", at: reader.location(of: Self.timeoutParameter.key))
        }
    }

    package var persistence: Persistence { .forGood }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "SENTINEL FAILOVER \(master) at \(target.name)", undo: "none: a promotion cannot be taken back",
            privileges: ["+sentinel"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let target = try RedisTarget(target)
        let view = try await Self.view(target, master, context)
        guard !view.flags.contains("failover_in_progress") else {
            throw FaultError(
                .foreignState, "a failover of \(master) is under way already (\(target.node))",
                advice: target.command(["SENTINEL", "MASTER", master]))
        }
        guard view.replicas > 0 else {
            throw FaultError(
                .notApplicable, "\(target.node) knows no replica of \(master) that could take over",
                advice: target.command(["SENTINEL", "REPLICAS", master]))
        }
        return Undo(
            target: target, master: master, primary: view.address, epoch: view.epoch,
            timeoutMilliseconds: timeout.nanoseconds / 1_000_000)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let target = undo.target
        let begun = context.time.now
        try await target.call(["SENTINEL", "FAILOVER", undo.master], in: context, "asking for a failover")
        let watch = EffectWatch(context, every: .milliseconds(20), within: .milliseconds(undo.timeoutMilliseconds))
        var last = undo.primary
        let range = try await watch.firstTime(since: begun) { () async throws(FaultError) -> Bool in
            let view = try await Self.view(target, undo.master, context)
            last = view.address
            return view.address != undo.primary && view.epoch > undo.epoch
        }
        guard let range else {
            return .unproven("\(target.node) accepted the failover, and still names \(last) after \(timeout)")
        }
        return .confirmed(range, evidence: "\(target.node) named \(undo.primary) and names \(last) now")
    }

    /// Nothing to do: the old primary becomes a replica by itself.
    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {}

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? { nil }

    package static func manualHeal(_ undo: Undo) -> [String] { [] }

    private static func view(
        _ target: RedisTarget, _ master: String, _ context: SystemContext
    ) async throws(FaultError) -> SentinelView {
        let answer = try await target.call(["SENTINEL", "MASTER", master], in: context, "asking for \(master)")
        guard let view = SentinelView(answer) else {
            throw FaultError(
                .unexpected, "what \(target.node) says of \(master) was not understood",
                advice: target.command(["SENTINEL", "MASTER", master]))
        }
        return view
    }
}
