package import Basics
package import Contracts
package import Experiment

/// Asks the database a question of the user's own, again and again.
package struct QueryProbe: Probe {
    package static let kind = "postgres.query"
    package static let manual = Manual(
        summary: "Runs a query at a constant pace and compares the first column of its first row with a tolerance.",
        details: """
            A number is recorded as the measurement `value`. Each query is also an operation: ok when there is a value and \
            the comparison of `tolerance`, if there is one, holds; else failed with the reason (mismatch, no-row, null, \
            not-comparable, the SQLSTATE, timeout). A boolean column is compared with true or false. Queries are due at fixed instants and never wait for each \
            other; the connections are kept. The query runs in a transaction that cannot write.
            """,
        example: """
            queue:
              type: postgres.query
              dsn: "host=127.0.0.1 port=5000 user=postgres dbname=app"
              sql: "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
              every: 1s
              tolerance: "<= 5"
            """)
    package static let emits: Set<ObservationKind> = [.operations, .measurements]
    package static let metrics = ["value"]

    private static let dsnParameter = Parameter<DSN>.required("dsn", .dsn, "Where to ask.")
    private static let sqlParameter = Parameter<String>.required(
        "sql", .text, "The query: one statement that only reads.")
    private static let everyParameter = Parameter<Span>.defaulted(
        "every", .span, to: .seconds(1), written: "1s", "The time from one query to the next.")
    private static let timeoutParameter = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(2), written: "2s", "How long an answer may take from when it was due.")
    private static let toleranceParameter = Parameter<Comparison?>.optional(
        "tolerance", .comparison, "What the first column must be, for example \"<= 5\" or true.")
    package static let parameters: [any AnyParameter] = [
        dsnParameter, sqlParameter, everyParameter, timeoutParameter, toleranceParameter,
    ]

    package let name: Label
    package let dsn: DSN
    package let sql: String
    package let every: Span
    package let timeout: Span
    package let tolerance: Comparison?

    package init(name: Label, from reader: inout ParameterReader) {
        self.init(
            name: name, dsn: reader.value(Self.dsnParameter), sql: reader.value(Self.sqlParameter),
            every: reader.value(Self.everyParameter), timeout: reader.value(Self.timeoutParameter),
            tolerance: reader.value(Self.toleranceParameter))
        if every <= .zero || timeout <= .zero {
            reader.diagnostics.error("every and timeout must be longer than nothing", at: reader.location)
        }
    }

    package init(name: Label, dsn: DSN, sql: String, every: Span, timeout: Span, tolerance: Comparison?) {
        self.name = name
        self.dsn = dsn
        self.sql = sql
        self.every = every
        self.timeout = timeout
        self.tolerance = tolerance
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            let client = try context.services.require(PostgresClient.self)
            let deadline = context.time.now + timeout + .seconds(3)
            _ = try await client.session(dsn, in: context, until: deadline, "the query at \(dsn) failed") {
                connection throws(PostgresError) in
                _ = try await connection.query(QuerySession.opening, until: deadline)
                return try await connection.query(sql, until: deadline)
            }
            return []
        } catch {
            return [Finding(.error, "probe \(name): \(error.explained)", advice: error.advice)]
        }
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        QuerySession(self, try context.system.services.require(PostgresClient.self), context.system)
    }
}
