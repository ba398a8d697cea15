internal import Basics
package import Contracts

/// A schema that a probe created, as the journal keeps it. Holds connection strings as written, no secret.
package struct OwnedSchema: Sendable, Hashable, Codable {
    package var schema: String
    /// The schema's comment; one with another comment is not ours.
    package var mark: String
    /// The endpoint that leads to the primary.
    package var dsn: DSN
    /// Nodes that may have become primaries of their own meanwhile.
    package var nodes: [DSN]

    package init(schema: String, mark: String, dsn: DSN, nodes: [DSN]) {
        self.schema = schema
        self.mark = mark
        self.dsn = dsn
        self.nodes = nodes
    }

    /// What `squall plan` says of the schema before it exists.
    static func plan(holding content: String) -> PlannedOperation {
        PlannedOperation(
            operation: "creates a schema of the run's own for \(content)", undo: "DROP SCHEMA … CASCADE at the end",
            privileges: ["CREATE on the database"])
    }

    /// What one server says of the schema.
    private enum Presence: Equatable {
        case absent
        case ours
        case foreign(String)
        /// A replica: what it shows is its primary's business.
        case notWritable
    }

    private static let patience = Span.seconds(30)
    private static let attempt = Span.seconds(5)

    /// Drops the schema on the primary behind the endpoint, retrying while a failover goes on, and on every other
    /// reachable node that takes writes (after a split both sides hold it).
    package func drop(in context: SystemContext) async throws(FaultError) {
        let client = try context.services.require(PostgresClient.self)
        let deadline = context.time.now + Self.patience
        var failure: FaultError?
        repeat {
            do throws(FaultError) {
                try await drop(at: dsn, client, context, mustBeWritable: true)
                for node in nodes { try await dropIfReachable(at: node, client, context) }
                return
            } catch {
                if error.code == .foreignState || error.code == .denied || error.code == .cancelled { throw error }
                failure = error
            }
            do throws(CancellationError) {
                try await context.time.sleep(for: .milliseconds(500))
            } catch {
                throw FaultError(.cancelled, "dropping schema \(schema) was cancelled", advice: manual)
            }
        } while context.time.now < deadline
        throw failure ?? FaultError(.timeout, "schema \(schema) could not be dropped", advice: manual)
    }

    /// Where the schema still is; nil when the primary and every reachable writable node are clean.
    package func leftover(kind: String, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let client = try context.services.require(PostgresClient.self)
        var places: [String] = []
        switch try await presence(at: dsn, client, context) {
        case .ours: places.append("the endpoint")
        case .absent, .foreign: break
        case .notWritable:
            throw FaultError(
                .unreachable, "\(dsn) leads to a replica: whether schema \(schema) is gone cannot be said",
                advice: manual)
        }
        for node in nodes {
            do throws(FaultError) {
                if try await presence(at: node, client, context) == .ours { places.append(node.text) }
            } catch  where error.code == .unreachable || error.code == .timeout {
                continue
            }
        }
        guard !places.isEmpty else { return nil }
        return Leftover(
            kind: kind, target: dsn.text, description: "schema \(schema) on \(places.joined(separator: ", "))",
            commands: [manual])
    }

    /// What a person would type.
    package var manual: String { "psql '\(dsn.text)' -c 'DROP SCHEMA IF EXISTS \(schema) CASCADE'" }

    private func dropIfReachable(
        at node: DSN, _ client: PostgresClient, _ context: SystemContext
    ) async throws(FaultError) {
        do throws(FaultError) {
            try await drop(at: node, client, context, mustBeWritable: false)
        } catch  where error.code == .unreachable || error.code == .timeout {
            return
        }
    }

    private func drop(
        at place: DSN, _ client: PostgresClient, _ context: SystemContext, mustBeWritable: Bool
    ) async throws(FaultError) {
        switch try await presence(at: place, client, context) {
        case .absent: return
        case .foreign(let comment):
            throw FaultError(
                .foreignState, "schema \(schema) on \(place) bears another mark ('\(comment)') and is left alone",
                advice: "look at it, then: \(manual)")
        case .notWritable:
            guard mustBeWritable else { return }
            throw FaultError(.unreachable, "\(place) leads to a replica, schema \(schema) cannot be dropped there")
        case .ours:
            // The drop need not wait for a standby that may be gone: its replication is checked by the next look.
            try await ask(
                place, client, context, "SET synchronous_commit TO local; DROP SCHEMA IF EXISTS \(schema) CASCADE")
        }
    }

    private func presence(
        at place: DSN, _ client: PostgresClient, _ context: SystemContext
    ) async throws(FaultError) -> Presence {
        let answer = try await ask(
            place, client, context,
            """
            SELECT pg_is_in_recovery(), n.oid IS NOT NULL, obj_description(n.oid, 'pg_namespace')
            FROM (SELECT 1) AS one LEFT JOIN pg_namespace AS n ON n.nspname = '\(schema)'
            """)
        if answer.boolean(0, 1) != true { return answer.boolean(0, 0) == true ? .notWritable : .absent }
        if answer.boolean(0, 0) == true { return .notWritable }
        return answer[0, 2] == mark ? .ours : .foreign(answer[0, 2] ?? "")
    }

    @discardableResult
    private func ask(
        _ place: DSN, _ client: PostgresClient, _ context: SystemContext, _ script: String
    ) async throws(FaultError) -> QueryResult {
        let deadline = context.time.now + Self.attempt
        let action = "looking after schema \(schema) on \(place) failed"
        return try await client.session(place, in: context, until: deadline, action, advice: manual) {
            connection throws(PostgresError) in
            try await connection.execute(script: script, until: deadline)
        }
    }
}
