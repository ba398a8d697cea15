/// What a node says of itself: role, exact timeline, log position.
package struct NodeState: Sendable, Hashable {
    package var isInRecovery: Bool
    /// nil when the node cannot name it (a standby that received nothing yet).
    package var timeline: Int64?
    /// Bytes of log the node holds: written on a primary, received on a standby.
    package var position: Int64?

    /// One row; all columns from the same instant as far as the role is concerned.
    ///
    /// The timeline of a primary is that of its insert position (`pg_walfile_name`): it changes in the instant in which
    /// the promotion lets writes in. `pg_control_checkpoint()` names the old one until the next checkpoint. A standby is
    /// on the timeline of what it receives (`pg_stat_wal_receiver.received_tli`, set when streaming is requested and with
    /// each flush); without a receiver on that of the newest log segment in its directory, because segments are written
    /// and recycled under the timeline that is being replayed. History files are left out: the receiver fetches those of
    /// timelines that it does not follow yet. `pg_control_recovery()` moves only when a buffer is flushed, so it is
    /// the last resort.
    /// The role is read once: after it was true a promotion may come, and the functions used then still work.
    package static let query = statement(
        withoutReceiver: """
            (SELECT max(('x' || left(name, 8))::bit(32)::bigint) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$')
            """)

    /// For users without pg_monitor: a standby without a receiver then answers from its control file, or not at all.
    package static let queryWithoutPrivileges = statement(
        withoutReceiver: "(SELECT nullif(min_recovery_end_timeline, 0)::bigint FROM pg_control_recovery())")

    private static func statement(withoutReceiver fallback: String) -> String {
        """
        SELECT role.recovering,
            CASE WHEN role.recovering
                THEN coalesce((SELECT received_tli::bigint FROM pg_stat_wal_receiver), \(fallback))
                ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END,
            pg_wal_lsn_diff(
                CASE WHEN role.recovering THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                    ELSE pg_current_wal_lsn() END, '0/0')::bigint
        FROM (SELECT pg_is_in_recovery() AS recovering OFFSET 0) AS role
        """
    }

    package init(isInRecovery: Bool, timeline: Int64?, position: Int64?) {
        self.isInRecovery = isInRecovery
        self.timeline = timeline
        self.position = position
    }

    /// nil when the answer is not of this form.
    package init?(_ result: QueryResult) {
        guard let isInRecovery = result.boolean(0, 0) else { return nil }
        self.init(isInRecovery: isInRecovery, timeline: result.integer(0, 1), position: result.integer(0, 2))
    }
}
