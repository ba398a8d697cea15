import Basics
import Contracts
import Experiment
import Glibc
import PostgresSupport
import Testing

@testable import Postgres

/// Replication lag and queries of the user's own.
@Suite(.serialized) struct ProbeTests {
    /// S13 of the ground truth: acknowledged at 1, 2 and 3 s; a read at 3.5 s that shows the first is 1.5 s old.
    @Test(arguments: [(1, 1_500), (2, 500), (3, 0), (0, 2_500), (9, 0)])
    func lagCountsFromTheFirstBeatThatIsMissing(beat: Int, milliseconds: Int) {
        var log = HeartbeatLog()
        for number in 1...3 {
            log.acknowledge(Int64(number), at: Instant(nanoseconds: Int64(number) * 1_000_000_000))
        }
        let lag = log.lag(seeing: Int64(beat), at: Instant(nanoseconds: 3_500_000_000))
        #expect(lag == .milliseconds(Int64(milliseconds)))
    }

    @Test func lagGrowsWhileReplayIsPausedAndIsABoundWhileANodeHangs() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let probe = ReplicationLagProbe(
                name: "lag", dsn: primary.dsn,
                nodes: [
                    NamedValue(name: "pg-1", value: NodeAddress(dsn: primary.dsn)),
                    NamedValue(name: "pg-2", value: NodeAddress(dsn: standby.dsn)),
                ], every: .milliseconds(20), timeout: .milliseconds(300))
            #expect(await probe.preflight(in: cluster.context).isEmpty)
            let lags: @Sendable () -> [Measurement] = {
                cluster.recorder.history.measurements.filter { $0.node == "pg-2" }
            }
            try await watch(cluster, probe) {
                try await cluster.until("the standby keeps up") { lags().filter { $0.value < 0.1 }.count >= 20 }
                try await cluster.ask(standby, "SELECT pg_wal_replay_pause()")
                try await cluster.until("half a second behind") { (lags().last?.value ?? 0) > 0.5 }
                #expect(lags().last?.isCensored == false)
                try await cluster.ask(standby, "SELECT pg_wal_replay_resume()")
                try await cluster.until("it has caught up") { (lags().last?.value ?? 9) < 0.1 }
                standby.signal(SIGSTOP)
                try await cluster.until("only a bound is known") { lags().last { $0.isCensored }?.value ?? 0 > 0.25 }
                standby.signal(SIGCONT)
                try await cluster.until("it answers again") { lags().last?.isCensored == false }
            }
            #expect(cluster.recorder.history.measurements.allSatisfy { $0.node == "pg-2" && $0.metric == "lag" })
            #expect(cluster.recorder.journal.map(\.kind) == ["postgres.lag-schema"])
            #expect(cluster.recorder.journal.allSatisfy { $0.closed })
            try await expectNoSchema(cluster, primary)
        }
    }

    struct Look: Sendable, CustomTestStringConvertible {
        var sql: String
        var tolerance: String?
        var outcome: Outcome
        var reason: String
        var value: Double?
        var testDescription: String { "\(sql) against \(tolerance ?? "nothing")" }
    }

    static let looks: [Look] = [
        Look(sql: "SELECT 3", tolerance: "<= 5", outcome: .ok, reason: "", value: 3),
        Look(sql: "SELECT 7.5", tolerance: "<= 5", outcome: .failed, reason: "mismatch", value: 7.5),
        Look(sql: "SELECT 42", tolerance: nil, outcome: .ok, reason: "", value: 42),
        Look(sql: "SELECT true", tolerance: "true", outcome: .ok, reason: "", value: nil),
        Look(sql: "SELECT false", tolerance: "true", outcome: .failed, reason: "mismatch", value: nil),
        Look(sql: "SELECT 'streaming'", tolerance: "streaming", outcome: .ok, reason: "", value: nil),
        Look(sql: "SELECT 'x'", tolerance: "<= 5", outcome: .failed, reason: "not-comparable", value: nil),
        Look(sql: "SELECT 1 WHERE false", tolerance: "1", outcome: .failed, reason: "no-row", value: nil),
        Look(sql: "SELECT NULL", tolerance: "1", outcome: .failed, reason: "null", value: nil),
        Look(sql: "SELECT 1 / 0", tolerance: "1", outcome: .failed, reason: "22012", value: nil),
        Look(sql: "CREATE TABLE x ()", tolerance: nil, outcome: .failed, reason: "25006", value: nil),
        Look(sql: "SELECT pg_sleep(5)", tolerance: nil, outcome: .failed, reason: "timeout", value: nil),
    ]

    @Test func aQueryIsComparedWithItsTolerance() async throws {
        try await Cluster.with { cluster in
            let server = try await cluster.primary()
            for look in Self.looks { try await check(look, cluster, server) }
            let bad = QueryProbe(
                name: "q", dsn: server.dsn, sql: "SELEC 1", every: .seconds(1), timeout: .seconds(1), tolerance: nil)
            let findings = await bad.preflight(in: cluster.context)
            #expect(findings.map(\.severity) == [.error])
        }
    }

    private func check(_ look: Look, _ cluster: Cluster, _ server: PostgresServer) async throws {
        let probe = QueryProbe(
            name: Label(look.testDescription), dsn: server.dsn, sql: look.sql, every: .milliseconds(50),
            timeout: .milliseconds(400), tolerance: look.tolerance.flatMap { Comparison(parsing: $0) })
        let mine: @Sendable () -> [Contracts.Operation] = {
            cluster.recorder.operations.filter { $0.probe == probe.name }
        }
        try await watch(cluster, probe) {
            try await cluster.until("two answers to \(look.sql)") { mine().count >= 2 }
        }
        #expect(
            mine().allSatisfy {
                $0.outcome == look.outcome && $0.reason.text == look.reason && $0.action == .check
            }, "\(look.testDescription): \(mine().map(\.reason))")
        let values = cluster.recorder.history.measurements.filter { $0.probe == probe.name }
        #expect(values.isEmpty == (look.value == nil))
        #expect(values.allSatisfy { $0.value == look.value && $0.metric == "value" })
    }
}
