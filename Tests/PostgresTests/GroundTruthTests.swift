import Basics
import Contracts
import Experiment
import Glibc
import PostgresSupport
import Testing

@testable import Postgres

/// Losses whose exact size is known beforehand (measurement section 6, R1 to R5), computed here from the events alone.
@Suite(.serialized) struct GroundTruthTests {
    /// R1: what is acknowledged after the cut is lost by the promotion, to the row.
    @Test func aCutThenAPromotionLosesExactlyTheWritesAfterTheCut() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let run = try await CountedLedger(
                cluster, endpoint(standby, primary), [("pg-1", primary), ("pg-2", standby)])
            try await run.write(150)
            try await cluster.caughtUp(standby, with: primary)
            let cut = try await FaultRun(CutReplicationFault(), target("pg-2", standby), in: cluster.context)
            try await run.write(37)
            #expect(run.acknowledged.count == 187)
            let promotion = try await FaultRun(PromoteFault(), target("pg-2", standby), in: cluster.context)
            try await run.write(10)
            #expect(Set(run.acknowledged.suffix(10).map(\.node)) == ["pg-2"])
            await run.session.snapshot()
            await run.session.collect()
            let lost = run.acknowledgedSequences.subtracting(try run.final())
            #expect(lost == Set(151...187))
            let readBacks = cluster.recorder.history.readBacks
            let old = try #require(readBacks.last { $0.node == "pg-1" })
            #expect(old.present == [1...187])
            #expect(old.generation == 1)
            let authority = try #require(readBacks.first { $0.isAuthoritative })
            #expect(authority.node == "pg-2")
            #expect(authority.present == [1...150, 188...197])
            #expect(authority.generation == 2)
            #expect(try await promotion.leftover() == nil)
            try await cut.heal()
            try await run.session.close()
            try await expectNoSchema(cluster, primary)
            try await expectNoSchema(cluster, standby)
        }
    }

    /// R2: a paused replay keeps what it received, and a promotion replays it.
    @Test func aPausedReplayLosesNothing() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let run = try await CountedLedger(cluster, endpoint(standby, primary), [("pg-2", standby)])
            try await run.write(20)
            _ = try await FaultRun(PauseReplayFault(), target("pg-2", standby), in: cluster.context)
            try await run.write(40)
            let visible = try await cluster.ask(standby, "SELECT count(*) FROM squall_test_1_orders.ledger")
            #expect(visible.integer(0, 0) ?? 99 <= 20)
            try await cluster.until("the standby has received everything") {
                let position = try await cluster.ask(primary, "SELECT pg_current_wal_flush_lsn()")[0, 0] ?? ""
                return try await cluster.ask(standby, "SELECT pg_last_wal_receive_lsn() >= '\(position)'")
                    .boolean(0, 0) == true
            }
            await primary.kill()
            _ = try await FaultRun(PromoteFault(), target("pg-2", standby), in: cluster.context)
            await run.session.collect()
            #expect(run.acknowledged.count == 60)
            #expect(try run.acknowledgedSequences.subtracting(run.final()).isEmpty)
            try await run.session.close()
        }
    }

    /// R4: a commit whose wait for the standby was cancelled is acknowledged with a warning, and lost in the failover.
    @Test func anAcknowledgementWithAWarningIsUnknownAndNeverCountsAsLost() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            try await makeSynchronous(cluster, primary)
            let run = try await CountedLedger(cluster, endpoint(standby, primary), [("pg-2", standby)])
            try await run.write(10)
            await standby.kill()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await run.write(1) }
                try await cluster.until("the commit waits for the standby") {
                    try await cluster.ask(
                        primary,
                        "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
                    ).integer(0, 0) == 1
                }
                try await group.waitForAll()
            }
            let warned = try #require(cluster.recorder.operations.last)
            #expect(warned.outcome == .unknown)
            #expect(warned.reason == "warned-ack")
            #expect(warned.sequence == 11)
            await primary.kill()
            try await standby.start()
            _ = try await FaultRun(PromoteFault(), target("pg-2", standby), in: cluster.context)
            await run.session.collect()
            let final = try run.final()
            #expect(run.acknowledgedSequences.subtracting(final).isEmpty)
            #expect(!final.contains(11))
            #expect(final == Set(1...10))
            try await run.session.close()
        }
    }

    /// A commit that waits for its standby holds the client's timeout, and nothing else does (statement_timeout ends no
    /// such wait).
    @Test func aWriteThatWaitsForItsStandbyTimesOutInTheClient() async throws {
        try await Cluster.withPair(configuration: "statement_timeout = 200ms") { cluster, primary, standby in
            let run = try await CountedLedger(cluster, primary.dsn, [], timeout: .milliseconds(800))
            try await makeSynchronous(cluster, primary)
            try await run.write(1)
            await standby.kill()
            try await run.write(1)
            let hung = try #require(cluster.recorder.operations.last)
            #expect(hung.outcome == .unknown)
            #expect(hung.reason == "timeout")
            #expect(hung.latency >= .milliseconds(800) && hung.latency < .seconds(3))
            try await cluster.until("the cancel request ends the wait") {
                try await cluster.ask(
                    primary, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
                ).integer(0, 0) == 0
            }
            try await run.session.close()
        }
    }

    /// R5: with a healthy synchronous standby the loss of the primary loses nothing that was acknowledged.
    @Test func aSynchronousStandbyHasEveryAcknowledgedWrite() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            try await makeSynchronous(cluster, primary)
            let settings = LedgerSettings.test(
                endpoint(standby, primary), rate: 60, timeout: .seconds(4),
                direct: [("pg-1", primary), ("pg-2", standby)])
            let run = try await LedgerRun(cluster, settings)
            try await run.during {
                try await run.acknowledged(at: 100)
                await primary.kill()
                let before = run.acknowledged.count
                _ = try await FaultRun(PromoteFault(), target("pg-2", standby), in: cluster.context)
                try await run.acknowledged(at: before + 100)
            }
            await run.session.collect()
            #expect(try run.lost().isEmpty)
            let direct = run.operations.filter { $0.path == "direct:pg-2" }
            #expect(direct.contains { $0.outcome == .failed && $0.reason == "25006" })
            #expect(direct.contains { $0.outcome == .ok })
            #expect(run.operations.filter { $0.path == "direct:pg-1" }.allSatisfy { $0.node == "pg-1" })
            try await run.session.close()
            try await expectNoSchema(cluster, standby)
        }
    }

    private func makeSynchronous(_ cluster: Cluster, _ primary: PostgresServer) async throws {
        try await cluster.ask(primary, "ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        try await cluster.ask(primary, "SELECT pg_reload_conf()")
        try await cluster.until("the standby is synchronous") {
            try await cluster.ask(
                primary, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
            ).integer(0, 0) == 1
        }
    }
}

/// A ledger that writes exactly as many rows as it is told to, one after the other.
struct CountedLedger: Sendable {
    let cluster: Cluster
    let session: any ProbeSession
    private let writer: LedgerWriter

    init(
        _ cluster: Cluster, _ dsn: DSN, _ nodes: [(String, PostgresServer)], timeout: Span = .seconds(10)
    ) async throws {
        self.cluster = cluster
        let settings = LedgerSettings.test(dsn, rate: 10, timeout: timeout, nodes: nodes)
        session = try await LedgerProbe(name: "orders", settings).start(in: cluster.probeContext)
        let context = cluster.context
        let pool = ConnectionPool(cluster.client, dsn, .empty, reuse: .fresh, limit: 4, time: cluster.time)
        let directory = NodeDirectory(cluster.client, .empty, nodes: settings.nodes, time: cluster.time)
        writer = LedgerWriter(
            cluster.client, probe: "orders", path: "fresh", table: LedgerTable(run: context.run, probe: "orders"),
            settings: settings, pool: pool, directory: directory,
            milestones: LedgerMilestones(probe: "orders", context: context), context: context)
    }

    /// Sequences go on where the last call ended.
    func write(_ count: Int) async throws {
        let first = Int64(cluster.recorder.operations.count) + 1
        for sequence in first..<first + Int64(count) { await writer.write(sequence, due: cluster.time.now) }
    }

    var acknowledged: [Contracts.Operation] { cluster.recorder.operations.filter { $0.outcome == .ok } }
    var acknowledgedSequences: Set<Int64> { Set(acknowledged.map(\.sequence)) }

    func final() throws -> Set<Int64> {
        let readBack = try #require(
            cluster.recorder.history.readBacks.last { $0.stage == .final && $0.isAuthoritative })
        #expect(readBack.failure == "")
        return Set(readBack.present.flatMap { Array($0) })
    }
}
