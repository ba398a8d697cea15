internal import Basics
package import Contracts
package import Experiment

/// Pauses the replay of a standby: it goes on receiving, but shows an ever older state.
package struct PauseReplayFault: Fault {
    package struct Undo: Codable, Sendable, Hashable {
        package var target: PostgresTarget
        /// Always `not paused`: a replay that somebody else paused is refused.
        package var priorState: String
        /// The start of the server that was paused. No pause outlives it: one that is seen in another start, or in
        /// another server at the same address, is not ours.
        package var incarnation: String
    }

    package static let kind = "postgres.pause-replay"
    package static let manual = Manual(
        summary: "Pauses the replay of received log on a PostgreSQL standby: stale reads without loss.",
        details: """
            Calls pg_wal_replay_pause on the target, which must be a standby that replays. The effect is shown by \
            pg_get_wal_replay_pause_state, which must say 'paused', not only 'pause requested'. Received log is kept and \
            replayed later, also by a promotion, so no acknowledged write is lost.

            Healing resumes the replay of the same start of the same server: one that was promoted or restarted meanwhile \
            has nothing of ours to resume. A replay \
            that is paused already belongs to somebody else: the fault is refused. Needs PostgreSQL 14.
            """,
        example: """
            - {name: stale, fault: postgres.pause-replay, target: standby, duration: 30s}
            """)
    package static let parameters: [any AnyParameter] = []
    package static let requires: Set<Target.Attribute> = [.postgresDSN]

    package init(from reader: inout ParameterReader) {}
    package init() {}

    /// On a primary the state function is an error, hence the CASE.
    private static let stateQuery = """
        SELECT CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() ELSE 'primary' END,
            \(ServerIdentity.incarnationSQL)
        """
    private static let pausing: Set<String> = ["paused", "pause requested"]

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "pause replay on \(target.name): SELECT pg_wal_replay_pause()",
            undo: "SELECT pg_wal_replay_resume()",
            privileges: ["EXECUTE on pg_wal_replay_pause and pg_wal_replay_resume (superuser by default)"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let target = try PostgresTarget(target)
        let (state, incarnation) = try await Self.state(target, context)
        switch state {
        case "not paused": return Undo(target: target, priorState: state, incarnation: incarnation)
        case "primary":
            throw FaultError(
                .notApplicable, "\(target.node) is a primary: it replays nothing that could be paused",
                advice: target.psql("SELECT pg_is_in_recovery()"))
        default:
            throw FaultError(
                .foreignState, "the replay of \(target.node) is already '\(state)', and not by this run",
                advice: target.psql("SELECT pg_wal_replay_resume()"))
        }
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let target = undo.target
        let begun = context.time.now
        _ = try await target.query("SELECT pg_wal_replay_pause()", in: context, "pausing replay")
        let range = try await EffectWatch(context, within: PostgresTarget.patience).firstTime(since: begun) {
            () async throws(FaultError) -> Bool in
            try await Self.state(target, context) == ("paused", undo.incarnation)
        }
        guard let range else { return .unproven("the pause was requested on \(target.node), but replay goes on") }
        return .confirmed(range, evidence: "pg_get_wal_replay_pause_state() of \(target.node) says paused")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let (state, incarnation) = try await state(undo.target, context)
        guard pausing.contains(state), incarnation == undo.incarnation else { return }
        _ = try await undo.target.query("SELECT pg_wal_replay_resume()", in: context, "resuming replay")
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let (state, incarnation) = try await state(undo.target, context)
        guard pausing.contains(state), incarnation == undo.incarnation else { return nil }
        return Leftover(
            kind: kind, target: undo.target.node, description: "replay is '\(state)'", commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] { [undo.target.psql("SELECT pg_wal_replay_resume()")] }

    private static func state(
        _ target: PostgresTarget, _ context: SystemContext
    ) async throws(FaultError) -> (state: String, incarnation: String) {
        let answer = try await target.query(stateQuery, in: context, "reading the replay state")
        return (answer[0, 0] ?? "", answer[0, 1] ?? "")
    }
}
