package import Basics
package import Contracts
package import Experiment

/// Promotes a standby with `pg_promote`, whatever the cluster around it thinks.
package struct PromoteFault: Fault {
    /// Where the node stood. Nothing can be undone from it.
    package struct Undo: Codable, Sendable, Hashable {
        package var target: PostgresTarget
        package var timeline: Int64?
    }

    package static let kind = "postgres.promote"
    package static let manual = Manual(
        summary: "Promotes a PostgreSQL standby, past any cluster manager.",
        details: """
            Calls pg_promote on the target, which must be a standby. The effect is shown by the node itself: it is out \
            of recovery and on a new timeline. A promotion that does not come to pass within `timeout` (it waits for a \
            receiver that is stopped, for example) is unproven.

            This cannot be undone by SQL: the new timeline stays. While the old primary runs there are two, which is often \
            the point. Afterwards one of them must be rebuilt (pg_rewind, or patronictl reinit under Patroni).
            """,
        example: """
            - {name: promote, fault: postgres.promote, target: standby}
            """)
    private static let timeoutParameter = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(60), written: "60s", "How long the promotion may take.")
    package static let parameters: [any AnyParameter] = [timeoutParameter]
    package static let requires: Set<Target.Attribute> = [.postgresDSN]

    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        self.init(timeout: reader.value(Self.timeoutParameter))
    }

    package init(timeout: Span = .seconds(60)) {
        self.timeout = timeout
    }

    package var persistence: Persistence { .forGood }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "promote \(target.name): SELECT pg_promote()",
            undo: "none: a promotion cannot be undone; the other side must be rebuilt (pg_rewind, patronictl reinit)",
            privileges: ["EXECUTE on pg_promote (superuser by default)"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let target = try PostgresTarget(target)
        let state = try await target.state(in: context, "looking before the promotion")
        guard state.isInRecovery else {
            throw FaultError(
                .notApplicable, "\(target.node) is a primary already and cannot be promoted",
                advice: target.psql("SELECT pg_is_in_recovery()"))
        }
        let right = try await target.query(
            "SELECT has_function_privilege('pg_promote(boolean, integer)', 'EXECUTE')", in: context,
            "looking for the right to promote")
        guard right.boolean(0, 0) == true else {
            throw FaultError(
                .denied, "the user of \(target.dsn) may not promote \(target.node)",
                advice: target.psql("GRANT EXECUTE ON FUNCTION pg_promote TO current_user"))
        }
        return Undo(target: target, timeline: state.timeline)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let target = undo.target
        let client = try context.services.require(PostgresClient.self)
        // Opened before, so that the first look afterwards costs one round trip only.
        let session = KeptSession(client, target.dsn, context.secrets)
        let watch = EffectWatch(context, within: timeout)
        let begun = context.time.now
        _ = try await target.query("SELECT pg_promote(false)", in: context, "the promotion")
        var latest: NodeState?
        let range = try await watch.firstTime(since: begun) { () async throws(FaultError) -> Bool in
            do throws(PostgresError) {
                let until = context.time.now + PostgresTarget.patience
                latest = NodeState(try await session.query(NodeState.query, until: until).result)
            } catch {
                throw error.faultError("looking for the promotion of \(target.node) failed")
            }
            return latest?.isInRecovery == false
        }
        await session.close()
        guard let range else {
            return .unproven("pg_promote was called on \(target.node), which is still in recovery after \(timeout)")
        }
        guard let timeline = latest?.timeline, timeline > undo.timeline ?? 0 else {
            return .unproven("\(target.node) is out of recovery, but on no newer timeline than before")
        }
        return .confirmed(range, evidence: "\(target.node) is out of recovery, on timeline \(timeline)")
    }

    /// Nothing to do: a promotion cannot be taken back.
    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {}

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? { nil }

    package static func manualHeal(_ undo: Undo) -> [String] {
        [
            "decide which side survives, then rebuild the other one:",
            "pg_rewind --target-pgdata=DATA --source-server='\(undo.target.dsn)'   (or under Patroni: patronictl reinit)",
        ]
    }
}
