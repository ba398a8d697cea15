internal import Basics
package import Contracts
package import Experiment

/// Cuts the replication of one standby for good: from an exact instant on it receives nothing more.
package struct CutReplicationFault: Fault {
    /// What the server's own override file said before. A slot's name is no secret.
    package struct Undo: Codable, Sendable, Hashable {
        package var target: PostgresTarget
        /// The slot that does not exist: our mark in the server's settings.
        package var mark: String
        /// `primary_slot_name` in `postgresql.auto.conf`; nil: it did not stand there.
        package var prior: String?
    }

    package static let kind = "postgres.cut-replication"
    package static let manual = Manual(
        summary: "Cuts a standby off its primary: exactly what is written from then on is missing there.",
        details: """
            Points the standby at a replication slot that does not exist (ALTER SYSTEM SET primary_slot_name, then a \
            reload). The receiver ends at once, and each new one is turned away by the primary before a byte of log flows. \
            Unlike a stopped receiver, whose socket buffers keep what arrives, this loses the same writes every time.

            The obvious way, an empty primary_conninfo, would need that setting back in the end, and it may hold a \
            password, which must not reach the journal. A slot's name is none: the undo holds it, or that it did not \
            stand in postgresql.auto.conf, and healing sets or resets exactly that. Only our own mark is ever removed.

            Needs a superuser on the standby and PostgreSQL 13. Patroni puts its own setting back at its next round \
            (loop_wait), so freeze or pause it first if the cut must last. A node that is rebuilt by pg_rewind from a \
            standby that bears the mark inherits it, as any setting made by ALTER SYSTEM.
            """,
        example: """
            - {name: cut, fault: postgres.cut-replication, target: standby}
            """)
    package static let parameters: [any AnyParameter] = []
    package static let requires: Set<Target.Attribute> = [.postgresDSN]

    package init(from reader: inout ParameterReader) {}
    package init() {}

    private static let prefix = "squall_cut_"

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "cut replication of \(target.name): ALTER SYSTEM SET primary_slot_name to a slot that does not "
                + "exist, pg_reload_conf()",
            undo: "the prior primary_slot_name of postgresql.auto.conf, or ALTER SYSTEM RESET; pg_reload_conf()",
            privileges: ["superuser on the standby"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let target = try PostgresTarget(target)
        let look = try await target.query(
            """
            SELECT pg_is_in_recovery(), current_setting('is_superuser') = 'on',
                (SELECT count(*) FROM pg_stat_wal_receiver)
            """, in: context, "looking before the cut")
        guard look.boolean(0, 0) == true else {
            throw FaultError(
                .notApplicable, "\(target.node) is a primary: it receives nothing that could be cut",
                advice: target.psql("SELECT pg_is_in_recovery()"))
        }
        guard look.boolean(0, 1) == true else {
            throw FaultError(
                .denied, "the user of \(target.dsn) is no superuser on \(target.node); ALTER SYSTEM needs one",
                advice: target.psql("SELECT current_user"))
        }
        let prior = try await Self.override(target, context)
        if let prior, prior.hasPrefix(Self.prefix) {
            throw FaultError(
                .foreignState, "\(target.node) still bears the cut '\(prior)' of another run", advice: "squall heal")
        }
        guard (look.integer(0, 2) ?? 0) > 0 else {
            throw FaultError(
                .notApplicable, "\(target.node) has no running receiver: its replication is cut already",
                advice: target.psql("SELECT status, sender_host FROM pg_stat_wal_receiver"))
        }
        return Undo(target: target, mark: String((Self.prefix + identifier(context.run)).prefix(63)), prior: prior)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let target = undo.target
        let begun = context.time.now
        try await Self.set(undo.mark, on: target, context)
        let range = try await EffectWatch(context, within: PostgresTarget.patience).firstTime(since: begun) {
            () async throws(FaultError) -> Bool in
            // A receiver with our slot is one that is being turned away.
            let look = try await target.query(
                """
                SELECT current_setting('primary_slot_name') = $1
                    AND NOT EXISTS (SELECT 1 FROM pg_stat_wal_receiver WHERE slot_name IS DISTINCT FROM $1)
                """, [undo.mark], in: context, "looking for the cut")
            return look.boolean(0, 0) == true
        }
        guard let range else { return .unproven("the receiver of \(target.node) still runs with its old settings") }
        return .confirmed(range, evidence: "the receiver of \(target.node) has ended; each new one is turned away")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        if try await override(undo.target, context) == undo.mark {
            return try await set(undo.prior, on: undo.target, context)
        }
        // A heal that ended between the file and the reload: the server still obeys what no file says any more.
        guard try await isInForce(undo, context) else { return }
        _ = try await undo.target.query("SELECT pg_reload_conf()", in: context, "reloading the settings")
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let stands = try await override(undo.target, context) == undo.mark
        let isInForce = try await isInForce(undo, context)
        guard stands || isInForce else { return nil }
        return Leftover(
            kind: kind, target: undo.target.node,
            description: "primary_slot_name is still '\(undo.mark)'\(stands ? "" : " until the settings are reloaded")",
            commands: manualHeal(undo))
    }

    private static func isInForce(_ undo: Undo, _ context: SystemContext) async throws(FaultError) -> Bool {
        try await undo.target.query(
            "SELECT current_setting('primary_slot_name')", in: context, "reading primary_slot_name")[0, 0] == undo.mark
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        let setting = undo.prior.map { "SET primary_slot_name = '\($0)'" } ?? "RESET primary_slot_name"
        return [undo.target.psql("ALTER SYSTEM \(setting)"), undo.target.psql("SELECT pg_reload_conf()")]
    }

    /// What `postgresql.auto.conf` says, whether it is in force or not; nil when it says nothing.
    private static func override(
        _ target: PostgresTarget, _ context: SystemContext
    ) async throws(FaultError) -> String? {
        try await target.query(
            """
            SELECT setting FROM pg_file_settings
            WHERE name = 'primary_slot_name' AND sourcefile LIKE '%/postgresql.auto.conf' ORDER BY seqno DESC LIMIT 1
            """, in: context, "reading postgresql.auto.conf")[0, 0]
    }

    /// Sets or resets the override and reloads; the server quotes the value.
    private static func set(
        _ value: String?, on target: PostgresTarget, _ context: SystemContext
    ) async throws(FaultError) {
        try await target.session(in: context, "changing primary_slot_name") {
            connection, deadline throws(PostgresError) in
            let quoted = try await connection.query("SELECT quote_literal($1)", [value], until: deadline)[0, 0]
            let change = quoted.map { "ALTER SYSTEM SET primary_slot_name = \($0)" }
            // ALTER SYSTEM refuses to be part of a transaction, so each statement goes alone.
            _ = try await connection.query(change ?? "ALTER SYSTEM RESET primary_slot_name", until: deadline)
            _ = try await connection.query("SELECT pg_reload_conf()", until: deadline)
        }
    }
}
