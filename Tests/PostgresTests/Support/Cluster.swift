import Basics
import Contracts
import Experiment
import Foundation
import Glibc
import Postgres
import PostgresSupport
import Synchronization

/// Servers of one test, and the context in which its probes and faults run. Everything is removed in the end.
final class Cluster: Sendable {
    let root: String
    let client: PostgresClient
    let recorder = Recorder()
    private let servers = Mutex<[PostgresServer]>([])

    private init() throws {
        root = "/tmp/squall-postgres-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        // The servers run as another user than the tests do.
        chmod(root, 0o777)
        client = try PostgresClient()
    }

    /// Runs `body` with an empty cluster; stops its servers and removes its files, also after an error.
    static func with(_ body: (Cluster) async throws -> Void) async throws {
        let cluster = try Cluster()
        do {
            try await body(cluster)
        } catch {
            await cluster.remove()
            throw error
        }
        await cluster.remove()
    }

    /// A running primary and, when asked for, a running standby that has caught up.
    static func withPair(
        configuration: String = "", _ body: (Cluster, PostgresServer, PostgresServer) async throws -> Void
    ) async throws {
        try await with { cluster in
            let primary = try await cluster.primary(configuration: configuration)
            let standby = try await cluster.standby(of: primary)
            try await body(cluster, primary, standby)
        }
    }

    func primary(_ name: String = "primary", configuration: String = "") async throws -> PostgresServer {
        let server = try await PostgresServer.create(in: root, name: name, configuration: configuration)
        servers.withLock { $0.append(server) }
        try await server.start()
        return server
    }

    func standby(of primary: PostgresServer, _ name: String = "standby") async throws -> PostgresServer {
        let server = try await primary.makeStandby(in: root, name: name)
        servers.withLock { $0.append(server) }
        try await server.start()
        return server
    }

    private func remove() async {
        for server in servers.withLock({ $0 }) { await server.kill() }
        try? FileManager.default.removeItem(atPath: root)
    }

    // MARK: Asking

    var time: SystemTimeSource { SystemTimeSource() }
    func soon(_ seconds: Int64 = 15) -> Instant { time.now + .seconds(seconds) }

    /// One statement on a connection of its own.
    @discardableResult
    func ask(_ server: PostgresServer, _ sql: String) async throws -> QueryResult {
        let connection = try await client.connect(server.dsn, .empty, until: soon())
        let result = try await connection.query(sql, until: soon())
        await connection.close()
        return result
    }

    /// Repeats a look until it holds; fails the test's wait after a deadline instead of sleeping a fixed time.
    func until(_ what: String, within seconds: Int64 = 40, _ holds: () async throws -> Bool) async throws {
        let deadline = soon(seconds)
        while time.now < deadline {
            if try await holds() { return }
            try await time.sleep(for: .milliseconds(20))
        }
        throw NeverHappened(what: what)
    }

    /// The standby has received and replayed everything the primary has written.
    func caughtUp(_ standby: PostgresServer, with primary: PostgresServer) async throws {
        let position = try await ask(primary, "SELECT pg_current_wal_lsn()")[0, 0] ?? ""
        try await until("the standby catches up") {
            try await ask(standby, "SELECT pg_last_wal_replay_lsn() >= '\(position)'").boolean(0, 0) == true
        }
    }

    struct NeverHappened: Error, CustomStringConvertible {
        var what: String
        var description: String { "it never came to this: \(what)" }
    }

    // MARK: Context

    var context: SystemContext {
        var services = Services()
        services.register(client)
        return SystemContext(
            time: time, services: services, secrets: .empty, run: "test-1", record: { [recorder] in recorder.add($0) })
    }

    var probeContext: ProbeContext {
        ProbeContext(
            system: context,
            journal: { [recorder] (kind, target, undo) throws(FaultError) in recorder.journal(kind, target, undo) },
            closeJournal: { [recorder] (id) throws(FaultError) in recorder.closeJournal(id) })
    }
}

/// What probes recorded and journalled.
final class Recorder: Sendable {
    private let events = Mutex<[HistoryEvent]>([])
    private let journalled = Mutex<[(kind: String, target: String, undo: JSONValue, closed: Bool)]>([])

    func add(_ event: HistoryEvent) { events.withLock { $0.append(event) } }
    var history: History { History(events.withLock { $0 }) }
    var operations: [Contracts.Operation] { history.operations }

    func journal(_ kind: String, _ target: String, _ undo: JSONValue) -> MutationID {
        journalled.withLock { entries in
            entries.append((kind, target, undo, false))
            return MutationID(String(entries.count - 1))
        }
    }

    func closeJournal(_ id: MutationID) {
        journalled.withLock { if let index = Int(id.text) { $0[index].closed = true } }
    }

    var journal: [(kind: String, target: String, undo: JSONValue, closed: Bool)] { journalled.withLock { $0 } }
}
