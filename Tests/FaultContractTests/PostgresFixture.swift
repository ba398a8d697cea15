import Basics
import Contracts
import Controller
import Experiment
import Foundation
import Glibc
import Postgres
import PostgresSupport
import Synchronization

/// A primary and its streaming standby on loopback, with a client connected; the example says which one is the target.
final class PostgresFixture: ContractFixture {
    let fault: any Fault
    let target: Target
    let context: SystemContext
    /// A server that does not answer may come back with the fault still in it.
    let provesAbsence = false
    let namesakes = 1

    private let root: String
    private let client: PostgresClient
    private let primary: PostgresServer
    private let standby: PostgresServer
    private let server: PostgresServer
    private let visitor: PostgresConnection
    private let servers: Mutex<[PostgresServer]>

    init(_ contract: Contract) async throws {
        let step = try contract.fault()
        fault = step.fault
        root = "/tmp/squall-contract-\(freshToken())"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        // The servers run as another user than the tests do.
        chmod(root, 0o777)
        context = try contractContext(run: "contract-\(freshToken())")
        client = try context.services.require(PostgresClient.self)
        primary = try await PostgresServer.create(in: root, name: "primary")
        try await primary.start()
        let standby = try await primary.makeStandby(in: root, name: "standby")
        try await standby.start()
        servers = Mutex([primary, standby])
        self.standby = standby
        let wantsPrimary = step.step.targets.first?.value == "primary"
        server = wantsPrimary ? primary : standby
        target = NodeAddress(dsn: server.dsn).target(named: Label(wantsPrimary ? "primary" : "standby"))
        // A client that calls itself as the examples do.
        visitor = try await client.connect(
            DSN("\(server.dsn) application_name=orders"), .empty, until: context.time.now + .seconds(15))
        try await streams()
    }

    private func streams() async throws {
        try await until("the standby streams") { [self] in
            try await ask(standby, "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == "1"
        }
    }

    /// A receiver that was cut off comes back a moment after the heal.
    func comesToRest() async throws -> Bool {
        guard fault.persistence == .untilHealed else { return false }
        try await streams()
        return true
    }

    private static let stateQuery = """
        SELECT concat_ws(' ', pg_is_in_recovery(),
            CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END,
            current_setting('primary_slot_name'),
            (SELECT string_agg(setting, ',') FROM pg_file_settings WHERE name = 'primary_slot_name'))
        """

    func state() async throws -> String { try await ask(server, Self.stateQuery) }

    func identity() async throws -> String { try await ask(server, "SELECT \(ServerIdentity.incarnationSQL)") }

    func destroy() async throws { await server.kill() }

    /// Another server at the address, whose replay somebody else has paused, with a slot of somebody else's.
    func putNamesake(_ number: Int) async throws {
        if server === primary { try await primary.start() }
        let copy = try await primary.makeStandby(in: root, name: "namesake")
        await server.kill()
        let namesake = PostgresServer(directory: copy.directory, port: server.port)
        servers.withLock { $0.append(namesake) }
        try await namesake.start()
        _ = try await ask(namesake, "ALTER SYSTEM SET primary_slot_name = 'somebody_elses'")
        _ = try await ask(namesake, "SELECT pg_reload_conf()")
        _ = try await ask(namesake, "SELECT pg_wal_replay_pause()")
        try await until("the namesake is paused and reloaded") { [self] in
            try await ask(namesake, Self.stateQuery) == "t paused somebody_elses somebody_elses"
        }
    }

    func namesakeState() async throws -> String { "\(try await state()) \(try await identity())" }

    func remove() async throws {
        await visitor.close()
        for server in servers.withLock({ $0 }) { await server.kill() }
        try FileManager.default.removeItem(atPath: root)
    }

    private func ask(_ server: PostgresServer, _ sql: String) async throws -> String {
        let deadline = context.time.now + .seconds(15)
        let connection = try await client.connect(server.dsn, .empty, until: deadline)
        let answer = try await connection.query(sql, until: deadline)
        await connection.close()
        return answer[0, 0] ?? ""
    }
}
