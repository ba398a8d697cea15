internal import Basics
internal import Contracts

/// The node that a fault acts on, as the journal keeps it.
package struct PostgresTarget: Sendable, Hashable, Codable {
    package var node: String
    /// As written in the file; no secret is revealed in it.
    package var dsn: DSN

    package init(node: String, dsn: DSN) {
        self.node = node
        self.dsn = dsn
    }

    /// One statement may take so long; a node that hangs longer cannot be worked on.
    static let patience = Span.seconds(10)

    /// Reads the attributes that Postgres faults require, and refuses a password in clear text before it is journalled.
    init(_ target: Target) throws(FaultError) {
        guard let text = target.attributes[.postgresDSN] else {
            throw FaultError(
                .notApplicable, "target \(target.name) has no PostgreSQL connection string",
                advice: "take the target from a postgres.roles probe: {from: roles, is: replica}")
        }
        let dsn = DSN(text)
        if let problem = dsn.problem {
            throw FaultError(
                .notApplicable, "target \(target.name): \(problem)", advice: "squall explain postgres.roles")
        }
        self.init(node: target.attributes[.node] ?? target.name, dsn: dsn)
    }

    /// Runs statements on a connection of their own, with one deadline for all.
    func session<Value: Sendable>(
        in context: SystemContext, _ action: String, patience: Span = patience,
        _ body: (PostgresConnection, Instant) async throws(PostgresError) -> Value
    ) async throws(FaultError) -> Value {
        let client = try context.services.require(PostgresClient.self)
        let deadline = context.time.now + patience
        return try await client.session(dsn, in: context, until: deadline, "\(action) on \(node) failed") {
            connection throws(PostgresError) in
            try await body(connection, deadline)
        }
    }

    /// One statement on a connection of its own.
    func query(
        _ sql: String, _ parameters: [String?] = [], in context: SystemContext, _ action: String
    ) async throws(FaultError) -> QueryResult {
        try await session(in: context, action) { connection, deadline throws(PostgresError) in
            try await connection.query(sql, parameters, until: deadline)
        }
    }

    /// Role, timeline and position; an answer of another form is an error.
    func state(in context: SystemContext, _ action: String) async throws(FaultError) -> NodeState {
        let answer = try await query(NodeState.query, in: context, action)
        guard let state = NodeState(answer) else {
            throw FaultError(.unexpected, "\(action) on \(node): the node's answer about its role was not understood")
        }
        return state
    }

    /// What a person would type.
    func psql(_ sql: String) -> String { "psql '\(dsn)' -c \"\(sql)\"" }
}
