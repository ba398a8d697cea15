internal import Basics
internal import Contracts

/// What the endpoint says before anything is written: is it a primary, may we create, how many connections are left.
struct LedgerEndpoint: Sendable {
    var sizing: PoolSizing
    /// Whether the server can name its timeline cheaply (a managed service may not allow it).
    var knowsTimeline: Bool

    /// Asks the endpoint; refuses one that a ledger cannot write to. Changes nothing.
    static func inspect(
        _ settings: LedgerSettings, _ client: PostgresClient, _ context: SystemContext
    ) async throws(FaultError) -> LedgerEndpoint {
        let deadline = context.time.now + .seconds(10)
        let action = "the endpoint \(settings.dsn) cannot be used"
        let answers = try await client.session(settings.dsn, in: context, until: deadline, action) {
            connection throws(PostgresError) in
            let rights = try await connection.query(
                "SELECT pg_is_in_recovery(), has_database_privilege(current_database(), 'CREATE')", until: deadline)
            let capacity = try await connection.query(PoolSizing.capacityQuery, until: deadline)
            return (rights, capacity, try await asksTimeline(connection, until: deadline))
        }
        let (rights, capacity, canNameTimeline) = answers
        let advice = "psql '\(settings.dsn)' -c 'SELECT pg_is_in_recovery(), current_user'"
        guard rights.boolean(0, 0) == false else {
            throw FaultError(
                .notApplicable, "the endpoint \(settings.dsn) leads to a replica, not to a primary", advice: advice)
        }
        guard rights.boolean(0, 1) == true else {
            throw FaultError(
                .denied, "the user of \(settings.dsn) may not create a schema in this database", advice: advice)
        }
        let available = PoolSizing.available(
            maximum: capacity.integer(0, 0) ?? 0, reserved: capacity.integer(0, 1) ?? 0,
            used: capacity.integer(0, 2) ?? 0)
        return LedgerEndpoint(
            sizing: PoolSizing(needed: settings.neededAtEndpoint, available: available), knowsTimeline: canNameTimeline)
    }

    private static func asksTimeline(
        _ connection: PostgresConnection, until deadline: Instant
    ) async throws(PostgresError) -> Bool {
        do throws(PostgresError) {
            _ = try await connection.query("SELECT pg_walfile_name(pg_current_wal_lsn())", until: deadline)
            return true
        } catch {
            guard error.code == .server, await connection.isOpen else { throw error }
            return false
        }
    }
}
