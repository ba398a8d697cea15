import Basics
import Contracts
import Experiment
import Glibc
import PostgresSupport
import Testing

@testable import Postgres

/// The client against a real server: what it returns, and what it says when there is none, or none that answers.
@Suite(.serialized) struct ClientTests {
    @Test func returnsRowsColumnsAndNotices() async throws {
        try await Cluster.with { cluster in
            let server = try await cluster.primary()
            let connection = try await cluster.client.connect(server.dsn, .empty, until: cluster.soon())
            let result = try await connection.query(
                "SELECT $1::int + 1 AS next, NULL AS nothing, true AS yes", ["41"], until: cluster.soon())
            #expect(result.columns == ["next", "nothing", "yes"])
            #expect(result.integer(0, 0) == 42)
            #expect(result.rows[0][1] == nil)
            #expect(result.boolean(0, 2) == true)
            #expect(result[5, 0] == nil)
            let warned = try await connection.query(
                "DO $$ BEGIN RAISE WARNING 'careful' USING ERRCODE = '01S01'; END $$", until: cluster.soon())
            #expect(warned.notices == [.init(severity: "WARNING", sqlState: "01S01", message: "careful")])
            let quiet = try await connection.query("SELECT 1", until: cluster.soon())
            #expect(quiet.notices.isEmpty)
            await connection.close()
            #expect(await connection.isOpen == false)
        }
    }

    @Test func runsAScriptAsOneTransaction() async throws {
        try await Cluster.with { cluster in
            let server = try await cluster.primary()
            let connection = try await cluster.client.connect(server.dsn, .empty, until: cluster.soon())
            await #expect(throws: PostgresError.self) {
                try await connection.execute(
                    script: "CREATE TABLE half (x int); SELECT 1 / 0;", until: cluster.soon())
            }
            let exists = try await connection.query("SELECT to_regclass('half') IS NULL", until: cluster.soon())
            #expect(exists.boolean(0, 0) == true)
            await connection.close()
        }
    }

    @Test func aServerErrorNamesItsClassAndLeavesTheConnectionUsable() async throws {
        try await Cluster.with { cluster in
            let server = try await cluster.primary()
            let connection = try await cluster.client.connect(server.dsn, .empty, until: cluster.soon())
            let error = await failure { try await connection.query("SELECT 1 / 0", until: cluster.soon()) }
            #expect(error?.code == .server)
            #expect(error?.sqlState == "22012")
            #expect(error?.severity == "ERROR")
            #expect(error?.querySent == true)
            #expect(try await connection.query("SELECT 1", until: cluster.soon())[0, 0] == "1")
            await connection.close()
        }
    }

    @Test func aTimeoutClosesTheConnectionAndEndsTheBackend() async throws {
        try await Cluster.with { cluster in
            let server = try await cluster.primary()
            let connection = try await cluster.client.connect(server.dsn, .empty, until: cluster.soon())
            let begun = cluster.time.now
            let error = await failure {
                try await connection.query("SELECT pg_sleep(60)", until: begun + .milliseconds(100))
            }
            let waited = cluster.time.now - begun
            #expect(error?.code == .timeout)
            #expect(error?.phase == .statement)
            #expect(error?.querySent == true)
            #expect(waited >= .milliseconds(100) && waited < .seconds(5))
            let isOpen = await connection.isOpen
            #expect(!isOpen)
            try await cluster.until("the cancel request ends the statement") {
                try await cluster.ask(
                    server, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
                ).integer(0, 0) == 0
            }
        }
    }

    @Test func cancellationEndsAHeedingStatementOnly() async throws {
        try await Cluster.with { cluster in
            let server = try await cluster.primary()
            let outcomes = await withTaskGroup(of: String.self) { group in
                for (cancellation, seconds) in [(Cancellation.heeded, 60), (.ignored, 1)] {
                    group.addTask {
                        let error = await failure {
                            let connection = try await cluster.client.connect(
                                server.dsn, .empty, until: cluster.soon(), cancellation)
                            return try await connection.query(
                                "SELECT pg_sleep(\(seconds))", until: cluster.soon(30), cancellation)
                        }
                        return error?.code.rawValue ?? "answered"
                    }
                }
                try? await cluster.until("both statements run") {
                    try await cluster.ask(
                        server, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
                    ).integer(0, 0) == 2
                }
                group.cancelAll()
                return await group.reduce(into: [String]()) { $0.append($1) }.sorted()
            }
            #expect(outcomes == ["answered", "cancelled"])
        }
    }

    @Test func aServerThatDiesInFlightIsALostStatement() async throws {
        try await Cluster.with { cluster in
            let server = try await cluster.primary()
            let connection = try await cluster.client.connect(server.dsn, .empty, until: cluster.soon())
            let idle = try await cluster.client.connect(server.dsn, .empty, until: cluster.soon())
            let error = await withTaskGroup(of: PostgresError?.self) { group in
                group.addTask {
                    await failure { try await connection.query("SELECT pg_sleep(30)", until: cluster.soon(30)) }
                }
                try? await cluster.until("the statement runs") {
                    try await cluster.ask(
                        server, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)'"
                    ).integer(0, 0) == 1
                }
                await server.kill()
                return await group.next() ?? nil
            }
            #expect(error?.code == .lost)
            #expect(error?.querySent == true)
            try await cluster.until("the idle connection notices") { await idle.isOpen == false }
            let unsent = await failure { try await idle.query("SELECT 1", until: cluster.soon()) }
            #expect(unsent?.querySent == false)
            let refused = await failure { try await cluster.client.connect(server.dsn, .empty, until: cluster.soon()) }
            #expect(refused?.code == .refused)
            #expect(refused?.querySent == false)
        }
    }

    @Test func aTerminatedBackendReportsAdminShutdown() async throws {
        try await Cluster.with { cluster in
            let server = try await cluster.primary()
            let connection = try await cluster.client.connect(server.dsn, .empty, until: cluster.soon())
            let error = await failure {
                try await connection.query("SELECT pg_terminate_backend(pg_backend_pid())", until: cluster.soon())
            }
            #expect(error?.sqlState == "57P01")
            #expect(error?.severity == "FATAL")
            #expect(await connection.isOpen == false)
        }
    }

    @Test func aFrozenServerHoldsUpOnlyItsOwnConnections() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            primary.signal(SIGSTOP)
            defer { primary.signal(SIGCONT) }
            async let hung = failure {
                try await cluster.client.connect(primary.dsn, .empty, until: cluster.time.now + .seconds(4))
            }
            let begun = cluster.time.now
            let other = try await cluster.ask(standby, "SELECT 1")
            #expect(other[0, 0] == "1")
            #expect(cluster.time.now - begun < .seconds(3))
            let error = await hung
            #expect(error?.code == .timeout)
            #expect(error?.phase == .connect)
        }
    }

    @Test(arguments: [
        ("read-write", "primary"), ("primary", "primary"), ("standby", "standby"), ("prefer-standby", "standby"),
        ("any", "standby"),
    ])
    func severalHostsAreTriedInOrder(attributes: String, expected: String) async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let dsn = DSN(
                "postgresql://postgres@127.0.0.1:\(standby.port),127.0.0.1:\(primary.port)/postgres"
                    + "?target_session_attrs=\(attributes)")
            let connection = try await cluster.client.connect(dsn, .empty, until: cluster.soon())
            let answer = try await connection.query("SELECT pg_is_in_recovery()", until: cluster.soon())
            #expect(answer.boolean(0, 0) == (expected == "standby"))
            await connection.close()
        }
    }

    @Test func aHostThatHangsCostsOnlyItsConnectTimeout() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            standby.signal(SIGSTOP)
            defer { standby.signal(SIGCONT) }
            let dsn = DSN(
                "host=127.0.0.1,127.0.0.1 port=\(standby.port),\(primary.port) user=postgres dbname=postgres connect_timeout=2"
            )
            let begun = cluster.time.now
            let connection = try await cluster.client.connect(dsn, .empty, until: cluster.soon(20))
            #expect(cluster.time.now - begun < .seconds(10))
            #expect(connection.subject == "127.0.0.1:\(primary.port)")
            await connection.close()
        }
    }

    @Test func namesAreResolvedAndAnUnknownOneIsSaid() async throws {
        try await Cluster.with { cluster in
            let server = try await cluster.primary()
            let named = DSN("host=localhost port=\(server.port) user=postgres dbname=postgres")
            let connection = try await cluster.client.connect(named, .empty, until: cluster.soon())
            #expect(try await connection.query("SELECT 1", until: cluster.soon())[0, 0] == "1")
            await connection.close()
            let unknown = DSN("host=nobody.invalid port=1 user=postgres")
            let error = await failure { try await cluster.client.connect(unknown, .empty, until: cluster.soon(10)) }
            #expect(error?.code == .unresolved || error?.code == .timeout)
            #expect(error?.querySent == false)
        }
    }

    @Test func whatTheServerRefusesAtTheDoorHasItsClass() async throws {
        try await Cluster.with { cluster in
            let server = try await cluster.primary()
            let dsn = DSN("host=127.0.0.1 port=\(server.port) user=postgres dbname=absent")
            let error = await failure { try await cluster.client.connect(dsn, .empty, until: cluster.soon()) }
            #expect(error?.code == .server)
            #expect(error?.sqlState == "3D000")
            #expect(error?.severity == "FATAL")
            #expect(error?.querySent == false)
        }
    }

    @Test func twoStatementsAtOnceAreRefused() async throws {
        try await Cluster.with { cluster in
            let server = try await cluster.primary()
            let connection = try await cluster.client.connect(server.dsn, .empty, until: cluster.soon())
            async let first = connection.query("SELECT pg_sleep(0.5)", until: cluster.soon())
            try await cluster.until("the first statement runs") { await connection.isIdle == false }
            let error = await failure { try await connection.query("SELECT 1", until: cluster.soon()) }
            #expect(error?.code == .unusable)
            #expect(error?.querySent == false)
            _ = try await first
            await connection.close()
        }
    }
}

/// The error of a call that should fail; nil when it succeeds.
func failure<Value>(_ body: () async throws -> Value) async -> PostgresError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? PostgresError
    }
}
