import Basics
import Contracts
import Experiment
import Glibc
import PostgresSupport
import Testing

@testable import Postgres

/// The ledger against real servers that are killed, frozen, promoted and split.
@Suite(.serialized) struct LedgerTests {
    @Test func withoutAFaultEveryWriteIsAcknowledgedOnceAndFoundAgain() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let run = try await LedgerRun(
                cluster,
                // Long: a machine that stands still for a second is no fault of the servers.
                .test(primary.dsn, rate: 30, timeout: .seconds(5), nodes: [("pg-1", primary), ("pg-2", standby)]))
            try await run.during { try await run.acknowledged(at: 120) }
            let odd = run.operations.filter { $0.outcome != .ok || $0.sent == nil || $0.node != "pg-1" }
            #expect(odd.isEmpty, "\(odd.prefix(3))")
            #expect(Set(run.operations.map(\.sequence)).count == run.operations.count)
            #expect(Set(run.operations.map(\.path)) == ["kept", "fresh"])
            try await cluster.caughtUp(standby, with: primary)
            await run.session.snapshot()
            await run.session.collect()
            #expect(try run.lost().isEmpty)
            let readBacks = cluster.recorder.history.readBacks
            #expect(readBacks.count == 4)
            #expect(readBacks.allSatisfy { $0.failure.isEmpty && $0.duplicated.isEmpty && $0.generation == 1 })
            #expect(Set(readBacks.map(\.present)).count == 1)
            #expect(readBacks.filter(\.isAuthoritative).map(\.node) == ["pg-1"])
            try await run.session.close()
            try await expectNoSchema(cluster, primary)
            #expect(cluster.recorder.journal.map(\.kind) == ["postgres.ledger-schema"])
            #expect(cluster.recorder.journal.allSatisfy { $0.closed })
        }
    }

    @Test func aWriteThatIsThereTwiceIsReported() async throws {
        try await Cluster.with { cluster in
            let primary = try await cluster.primary()
            let run = try await LedgerRun(cluster, .test(primary.dsn, connections: .kept))
            try await run.during { try await run.acknowledged(at: 20) }
            let table = LedgerTable(run: "test-1", probe: "orders").name
            try await cluster.ask(primary, "INSERT INTO \(table) (seq, path) VALUES (7, 'x'), (7, 'x'), (9, 'x')")
            try await cluster.ask(primary, "DELETE FROM \(table) WHERE seq = 5")
            await run.session.collect()
            let readBack = try #require(cluster.recorder.history.readBacks.first)
            #expect(readBack.duplicated == [7, 9])
            #expect(readBack.present.first == 1...4)
            #expect(readBack.present.dropFirst().first?.lowerBound == 6)
            #expect(try run.lost() == [5])
            try await run.session.close()
        }
    }

    @Test func aKilledPrimaryIsRefusedUnknownAndServedAgainByTheStandby() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let settings = LedgerSettings.test(
                endpoint(primary, standby), nodes: [("pg-1", primary), ("pg-2", standby)])
            let run = try await LedgerRun(cluster, settings)
            try await run.during {
                try await run.acknowledged(at: 100)
                await primary.kill()
                let before = run.acknowledged.count
                try await cluster.ask(standby, "SELECT pg_promote()")
                try await run.acknowledged(at: before + 100)
            }
            let reasons = Set(run.operations.filter { $0.outcome != .ok }.map(\.reason.text))
            // 57P01: a backend that notices its postmaster's death may still say so.
            let possible: Set = [
                "lost", "refused", "unreachable", "25006", "57P01", "57P03", "timeout", "connect-timeout",
            ]
            #expect(reasons.isSubset(of: possible))
            #expect(Set(run.acknowledged.map(\.node)) == ["pg-1", "pg-2"])
            #expect(
                run.operations.filter { $0.outcome == .failed }.allSatisfy { $0.reason != "lost" || $0.sent != nil })
            await run.session.snapshot()
            await run.session.collect()
            let history = cluster.recorder.history
            let evidence = history.readBacks.filter { $0.stage == .evidence }
            #expect(evidence.first { $0.node == "pg-1" }?.failure.isEmpty == false)
            #expect(evidence.first { $0.node == "pg-2" }?.failure == "")
            let final = try #require(history.readBacks.first { $0.isAuthoritative })
            #expect(final.node == "pg-2")
            #expect(final.generation == 2)
            #expect(history.notes.contains { $0.message.contains("acknowledged by pg-2 on timeline 2") })
            try await run.session.close()
            try await expectNoSchema(cluster, standby)
        }
    }

    @Test func aFrozenPrimaryDelaysNoArrivalAndTimesOut() async throws {
        try await Cluster.with { cluster in
            let primary = try await cluster.primary()
            let timeout = Span.milliseconds(500)
            let run = try await LedgerRun(cluster, .test(primary.dsn, rate: 100, timeout: timeout))
            try await run.during {
                try await run.acknowledged(at: 50)
                primary.signal(SIGSTOP)
                let before = run.operations.count
                try await cluster.until("a second of arrivals is judged") { run.operations.count >= before + 100 }
                primary.signal(SIGCONT)
                let acknowledged = run.acknowledged.count
                try await run.acknowledged(at: acknowledged + 50)
            }
            let bad = run.operations.filter { $0.outcome != .ok }
            #expect(bad.count >= 50)
            for operation in bad {
                #expect(["timeout", "connect-timeout"].contains(operation.reason.text))
                #expect(operation.outcome == (operation.reason == "timeout" ? .unknown : .failed))
                #expect(operation.latency >= timeout && operation.latency < timeout + .seconds(2))
            }
            // Nine in ten left in time although the server stood still; the rest is what a loaded machine may cost.
            let late = run.operations.filter { ($0.sent ?? $0.end) - $0.due > .milliseconds(200) }
            #expect(late.count <= run.operations.count / 10)
            await run.session.collect()
            #expect(try run.lost().isEmpty)
            try await run.session.close()
        }
    }

    @Test func aPoolThatIsTooSmallIsWarnedOfAndJudgesArrivalsInTime() async throws {
        try await Cluster.with { cluster in
            let primary = try await cluster.primary(configuration: "max_connections = 20")
            let settings = LedgerSettings.test(primary.dsn, rate: 100, timeout: .milliseconds(500), connections: .kept)
            let findings = await LedgerProbe(name: "orders", settings).preflight(in: cluster.context)
            #expect(findings.map(\.severity) == [.warning])
            #expect(findings.first?.message.contains("needs 58 connections") == true)
            let run = try await LedgerRun(cluster, settings)
            try await run.during {
                try await run.acknowledged(at: 20)
                primary.signal(SIGSTOP)
                let before = run.operations.count
                try await cluster.until("a second of arrivals is judged") { run.operations.count >= before + 100 }
                primary.signal(SIGCONT)
            }
            let bad = run.operations.filter { $0.outcome != .ok }
            #expect(bad.count >= 50)
            #expect(bad.allSatisfy { $0.latency >= .milliseconds(500) && $0.latency < .milliseconds(2_500) })
            try await run.session.close()
        }
    }

    @Test func aPermitThatDoesNotComeInTimeIsNoPermit() async throws {
        try await Cluster.with { cluster in
            let server = try await cluster.primary()
            let pool = ConnectionPool(
                cluster.client, server.dsn, .empty, reuse: .kept, limit: 1, time: cluster.time)
            let first = try #require(await pool.permit(until: cluster.soon()))
            let late = await pool.permit(until: cluster.time.now + .milliseconds(50))
            #expect(late.map { _ in "permit" } == nil)
            async let waiting = pool.permit(until: cluster.soon())
            let connection = try await pool.redeem(first, until: cluster.soon())
            await pool.finish(connection)
            let second = try #require(await waiting)
            let again = try await pool.redeem(second, until: cluster.soon())
            #expect(again === connection)
            await pool.finish(again)
            #expect(await pool.size == 1)
            await pool.close()
            #expect(await pool.size == 0)
        }
    }

    @Test func preflightRefusesWhatCannotWork() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            func findings(_ settings: LedgerSettings) async -> [Finding] {
                await LedgerProbe(name: "orders", settings).preflight(in: cluster.context)
            }
            let replica = await findings(.test(standby.dsn))
            #expect(replica.first?.severity == .error)
            #expect(replica.first?.message.contains("replica") == true)
            let huge = await findings(.test(primary.dsn, rate: 5_000))
            #expect(huge.first?.severity == .error)
            let nobody = await findings(.test(DSN("host=127.0.0.1 port=1 user=postgres")))
            #expect(nobody.first?.severity == .error)
            #expect(nobody.first?.advice.isEmpty == false)
            let good = await findings(.test(primary.dsn, rate: 50, nodes: [("pg-1", primary), ("pg-2", standby)]))
            #expect(good.isEmpty)
            try await cluster.ask(primary, "CREATE ROLE reader LOGIN")
            let reader = DSN("host=127.0.0.1 port=\(primary.port) user=reader dbname=postgres")
            #expect(await findings(.test(reader, rate: 10)).first?.message.contains("may not create") == true)
        }
    }

    @Test func aSchemaOfSomebodyElseIsLeftAlone() async throws {
        try await Cluster.with { cluster in
            let primary = try await cluster.primary()
            let table = LedgerTable(run: "test-1", probe: "orders")
            let owned = OwnedSchema(schema: table.schema, mark: table.mark, dsn: primary.dsn, nodes: [])
            #expect(try await LedgerSchema.leftover(of: owned, in: cluster.context) == nil)
            try await LedgerSchema.heal(owned, in: cluster.context)
            try await cluster.ask(primary, "CREATE SCHEMA \(table.schema)")
            await #expect(throws: FaultError.self) { try await LedgerSchema.heal(owned, in: cluster.context) }
            try await cluster.ask(primary, "COMMENT ON SCHEMA \(table.schema) IS '\(table.mark)'")
            #expect(try await LedgerSchema.leftover(of: owned, in: cluster.context)?.commands == [owned.manual])
            try await LedgerSchema.heal(owned, in: cluster.context)
            try await LedgerSchema.heal(owned, in: cluster.context)
            #expect(try await LedgerSchema.leftover(of: owned, in: cluster.context) == nil)
        }
    }
}

func expectNoSchema(_ cluster: Cluster, _ server: PostgresServer) async throws {
    let left = try await cluster.ask(server, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'squall%'")
    #expect(left.integer(0, 0) == 0)
}
