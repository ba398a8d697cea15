import Basics
import Contracts
import Experiment
import Glibc
import PostgresSupport
import Testing

@testable import Postgres

/// Faults on single nodes: their effect, their undo to the letter, and what they refuse.
@Suite(.serialized) struct FaultTests {
    @Test func promotionRefusesAPrimaryAndSaysItCannotBeUndone() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let error = await faultError {
                try await PromoteFault().prepare(target("pg-1", primary), in: cluster.context)
            }
            #expect(error?.code == .notApplicable)
            #expect(PromoteFault().plan(for: target("pg-2", standby)).undo.contains("cannot be undone"))
            let run = try await FaultRun(PromoteFault(), target("pg-2", standby), in: cluster.context)
            try await run.heal()
            #expect(try await cluster.ask(standby, "SELECT pg_is_in_recovery()").boolean(0, 0) == false)
        }
    }

    /// R3: a promotion waits for a receiver that is stopped; nothing shows an effect until then.
    @Test func aPromotionThatDoesNotHappenIsUnproven() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let receivers = standby.processes(titled: "walreceiver")
            #expect(receivers.count == 1)
            for pid in receivers { kill(pid, SIGSTOP) }
            defer { for pid in receivers { kill(pid, SIGCONT) } }
            let fault = PromoteFault(timeout: .seconds(1))
            let undo = try await fault.prepare(target("pg-2", standby), in: cluster.context)
            let effect = try await fault.inject(undo, in: cluster.context)
            guard case .unproven = effect else {
                Issue.record("a promotion that hangs must not be confirmed: \(effect)")
                return
            }
        }
    }

    @Test func replayIsPausedAndResumed() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let run = try await FaultRun(PauseReplayFault(), target("pg-2", standby), in: cluster.context)
            #expect(try await run.leftover()?.commands.isEmpty == false)
            let again = await faultError {
                try await PauseReplayFault().prepare(target("pg-2", standby), in: cluster.context)
            }
            #expect(again?.code == .foreignState)
            try await run.heal()
            try await cluster.caughtUp(standby, with: primary)
            let onPrimary = await faultError {
                try await PauseReplayFault().prepare(target("pg-1", primary), in: cluster.context)
            }
            #expect(onPrimary?.code == .notApplicable)
        }
    }

    @Test func aPausedStandbyThatWasPromotedNeedsNoHealing() async throws {
        try await Cluster.withPair { cluster, _, standby in
            let run = try await FaultRun(PauseReplayFault(), target("pg-2", standby), in: cluster.context)
            try await cluster.ask(standby, "SELECT pg_promote()")
            try await run.heal()
        }
    }

    @Test(arguments: [nil, "my_slot"])
    func aCutIsTakenBackToTheLetter(prior: String?) async throws {
        try await Cluster.withPair { cluster, primary, standby in
            if let prior {
                try await cluster.ask(primary, "SELECT pg_create_physical_replication_slot('\(prior)')")
                try await cluster.ask(standby, "ALTER SYSTEM SET primary_slot_name = '\(prior)'")
                try await cluster.ask(standby, "SELECT pg_reload_conf()")
            }
            try await streams(cluster, primary)
            let before = try await automatic(cluster, standby)
            let run = try await FaultRun(CutReplicationFault(), target("pg-2", standby), in: cluster.context)
            #expect(run.undo.prior == prior)
            #expect(try await run.leftover()?.description.contains("squall_cut_test_1") == true)
            #expect(
                try await cluster.ask(primary, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
                    .integer(0, 0) == 0)
            try await run.heal()
            #expect(try await automatic(cluster, standby) == before)
            try await streams(cluster, primary)
            try await cluster.caughtUp(standby, with: primary)
        }
    }

    @Test func aCutKeepsThePasswordOfTheLinkOutOfTheJournal() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let link =
                "host=127.0.0.1 port=\(primary.port) user=postgres password=hidden-truth application_name=standby"
            try await cluster.ask(standby, "ALTER SYSTEM SET primary_conninfo = '\(link)'")
            try await cluster.ask(standby, "SELECT pg_reload_conf()")
            try await streams(cluster, primary)
            let run = try await FaultRun(CutReplicationFault(), target("pg-2", standby), in: cluster.context)
            #expect(!run.journal.contains("hidden-truth"))
            try await run.heal()
            #expect(try await cluster.ask(standby, "SHOW primary_conninfo")[0, 0] == link)
        }
    }

    @Test func aCutRefusesWhatReceivesNothing() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let onPrimary = await faultError {
                try await CutReplicationFault().prepare(target("pg-1", primary), in: cluster.context)
            }
            #expect(onPrimary?.code == .notApplicable)
            await primary.kill()
            try await cluster.until("the receiver is gone") {
                try await cluster.ask(standby, "SELECT count(*) FROM pg_stat_wal_receiver").integer(0, 0) == 0
            }
            let alone = await faultError {
                try await CutReplicationFault().prepare(target("pg-2", standby), in: cluster.context)
            }
            #expect(alone?.code == .notApplicable)
        }
    }

    @Test func endsTheBackendsThatMatchAndNoOther() async throws {
        try await Cluster.with { cluster in
            let server = try await cluster.primary()
            func connect(_ application: String) async throws -> PostgresConnection {
                try await cluster.client.connect(
                    DSN("\(server.dsn.text) application_name=\(application)"), .empty, until: cluster.soon())
            }
            let (first, second, other) = (
                try await connect("orders"), try await connect("orders"), try await connect("billing")
            )
            let fault = TerminateBackendsFault(application: "orders")
            let run = try await FaultRun(fault, target("pg-1", server), in: cluster.context)
            try await cluster.until("the clients notice") {
                let open = (await first.isOpen, await second.isOpen)
                return open == (false, false)
            }
            #expect(try await other.query("SELECT 1", until: cluster.soon())[0, 0] == "1")
            await other.close()
            try await run.heal()
            let none = await faultError { try await fault.prepare(target("pg-1", server), in: cluster.context) }
            #expect(none?.code == .notApplicable)
        }
    }

    @Test func aPasswordInClearTextIsRefusedBeforeItIsJournalled() async throws {
        let target = Target(
            id: "postgres:a", name: "a", attributes: [.postgresDSN: "host=127.0.0.1 user=u password=visible"])
        try await Cluster.with { cluster in
            let error = await faultError { try await PromoteFault().prepare(target, in: cluster.context) }
            #expect(error?.code == .notApplicable)
            #expect(error?.description.contains("visible") == false)
        }
    }

    private func streams(_ cluster: Cluster, _ primary: PostgresServer) async throws {
        try await cluster.until("the standby streams") {
            try await cluster.ask(primary, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
                .integer(0, 0) == 1
        }
    }

    /// The override file, without what the server itself writes at its head.
    private func automatic(_ cluster: Cluster, _ server: PostgresServer) async throws -> String? {
        try await cluster.ask(server, "SELECT pg_read_file('postgresql.auto.conf')")[0, 0]
    }
}

/// The error of a call that should fail; nil when it succeeds.
func faultError<Value>(_ body: () async throws -> Value) async -> FaultError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? FaultError
    }
}
