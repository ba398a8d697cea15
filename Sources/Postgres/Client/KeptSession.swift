package import Basics
package import Contracts

/// A connection to one place that is opened when needed and opened again after it broke; one statement at a time.
///
/// For whatever looks at one node again and again: the look after an outage must not need a new object.
package actor KeptSession {
    package nonisolated let dsn: DSN
    private nonisolated let client: PostgresClient
    private let secrets: SecretStore
    /// Run once on each new connection; its first row is `greeting`.
    private let opening: String?
    private var connection: PostgresConnection?
    private var greetingRow: [String?] = []

    package nonisolated var unownedExecutor: UnownedSerialExecutor { client.loop.asUnownedSerialExecutor() }

    package init(_ client: PostgresClient, _ dsn: DSN, _ secrets: SecretStore, opening: String? = nil) {
        self.client = client
        self.dsn = dsn
        self.secrets = secrets
        self.opening = opening
    }

    /// An answer together with what the connection's opening statement told of the server it came from.
    package struct Answer: Sendable {
        package var result: QueryResult
        package var greeting: [String?]
    }

    /// Opens the connection if there is none, then runs the statement; both within the deadline.
    package func query(
        _ sql: String, _ parameters: [String?] = [], until deadline: Instant,
        _ cancellation: Cancellation = .heeded
    ) async throws(PostgresError) -> Answer {
        let connection = try await open(until: deadline, cancellation)
        let result = try await connection.query(sql, parameters, until: deadline, cancellation)
        return Answer(result: result, greeting: greetingRow)
    }

    private func open(
        until deadline: Instant, _ cancellation: Cancellation
    ) async throws(PostgresError) -> PostgresConnection {
        if let connection, await connection.isOpen { return connection }
        connection = nil
        let fresh = try await client.connect(dsn, secrets, until: deadline, cancellation)
        do throws(PostgresError) {
            if let opening {
                greetingRow = try await fresh.query(opening, until: deadline, cancellation).rows.first ?? []
            }
        } catch {
            // The statement that the caller asked for was not sent, whatever became of the opening one.
            await fresh.close()
            var failure = error
            failure.querySent = false
            throw failure
        }
        connection = fresh
        return fresh
    }

    package func close() async {
        await connection?.close()
        connection = nil
    }
}
