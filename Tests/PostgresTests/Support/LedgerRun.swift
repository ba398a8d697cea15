import Basics
import Contracts
import Experiment
import PostgresSupport
import Testing

@testable import Postgres

/// A ledger of a test: starts it, lets it write, and computes what was lost from the events alone.
struct LedgerRun {
    let cluster: Cluster
    let session: any ProbeSession

    init(_ cluster: Cluster, _ settings: LedgerSettings) async throws {
        self.cluster = cluster
        session = try await LedgerProbe(name: "orders", settings).start(in: cluster.probeContext)
    }

    /// Runs the ledger while `body` runs, then stops it and waits for what was under way.
    func during(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await session.run() }
            group.addTask { try await body() }
            // The body ends first, with or without an error; the ledger ends only when it is cancelled.
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    var operations: [Contracts.Operation] { cluster.recorder.operations }
    var acknowledged: [Contracts.Operation] { operations.filter { $0.outcome == .ok } }

    func acknowledged(at least: Int) async throws {
        do {
            try await cluster.until("\(least) writes are acknowledged") { acknowledged.count >= least }
        } catch {
            let reasons = Dictionary(grouping: operations.suffix(500)) { "\($0.path) \($0.outcome) \($0.reason)" }
            Issue.record("of the last 500 operations: \(reasons.mapValues(\.count))")
            throw error
        }
    }

    /// The final content of the node that clients reach.
    func final() throws -> Set<Int64> {
        let readBack = try #require(
            cluster.recorder.history.readBacks.last { $0.stage == .final && $0.isAuthoritative })
        #expect(readBack.failure == "")
        return Set(readBack.present.flatMap { Array($0) })
    }

    /// Acknowledged and gone.
    func lost() throws -> Set<Int64> { Set(acknowledged.map(\.sequence)).subtracting(try final()) }
}

extension LedgerSettings {
    /// A quick ledger for tests.
    static func test(
        _ dsn: DSN, rate: Double = 200, timeout: Span = .seconds(1), connections: Connections = .both,
        direct: [(String, PostgresServer)] = [], nodes: [(String, PostgresServer)] = []
    ) -> LedgerSettings {
        LedgerSettings(
            dsn: dsn, rate: Rate(perSecond: rate), timeout: timeout, connections: connections,
            direct: direct.map { NamedValue(name: $0.0, value: NodeAddress(dsn: $0.1.dsn)) },
            directRate: Rate(perSecond: 50),
            nodes: nodes.map { NamedValue(name: $0.0, value: NodeAddress(dsn: $0.1.dsn)) })
    }
}

/// Both servers as the hosts of one string, for whichever is primary.
func endpoint(_ servers: PostgresServer...) -> DSN {
    let hosts = servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
    return DSN("postgresql://postgres@\(hosts)/postgres?target_session_attrs=read-write&connect_timeout=2")
}
