import Basics
import Contracts
import Experiment
import Glibc
import RedisSupport
import Testing

@testable import Redis

/// The ledger on real servers: what was acknowledged, what is left, and that nothing of it stays.
@Suite struct LedgerTests {
    @Test(arguments: [
        (WriteEvidence.answered([.integer(7)]), 0, Outcome.ok, ""),
        (.answered([.integer(7), .integer(1)]), 1, .ok, ""),
        (.answered([.integer(7), .integer(0)]), 1, .unknown, "too-few-replicas"),
        (.answered([.integer(7), .error("ERR x")]), 1, .unknown, "wait-failed"),
        (.answered([.error("READONLY You can't write against a read only replica.")]), 0, .failed, "READONLY"),
        (.answered([.error("NOREPLICAS Not enough good replicas to write.")]), 0, .failed, "NOREPLICAS"),
        (.answered([.error("ERR upstream failure")]), 0, .unknown, "ERR"),
        (.answered([.status("QUEUED")]), 0, .unknown, "unexpected-answer"),
        (.failed(RedisError(.refused, phase: .connect, message: "")), 0, .failed, "refused"),
        (.failed(RedisError(.timeout, phase: .connect, message: "")), 0, .failed, "connect-timeout"),
        (.failed(RedisError(.timeout, phase: .command, commandSent: true, message: "")), 0, .unknown, "timeout"),
        (.failed(RedisError(.lost, phase: .command, commandSent: true, message: "")), 0, .unknown, "lost"),
    ])
    func onlyProofMakesAFailure(evidence: WriteEvidence, replicas: Int, outcome: Outcome, reason: String) {
        let judgement = WriteJudgement(evidence, replicas: replicas)
        #expect(judgement.outcome == outcome)
        #expect(judgement.reason.text == reason)
    }

    @Test func rangesAndDuplicatesAreThoseOfTheEntries() {
        #expect(LedgerReader.ranges([1, 2, 2, 3, 7, 9, 10]) == [1...3, 7...7, 9...10])
        #expect(LedgerReader.duplicates([1, 2, 2, 2, 3, 5, 5]) == [2, 5])
        #expect(LedgerReader.ranges([]).isEmpty)
    }

    /// Scenario R6 of the ground truth: what the old primary took after the fork is what is lost, to the write.
    @Test func aForkLosesExactlyWhatTheOldPrimaryTookAfterIt() async throws {
        let fixture = try RedisFixture()
        let old = try await RedisServer(["repl-diskless-sync-delay 0"])
        let new = try await RedisServer(["repl-diskless-sync-delay 0", "replicaof 127.0.0.1 \(old.port)"])
        try await eventually("the replica is in sync") {
            try await fixture.ask(new, ["INFO", "replication"]).text?.contains("master_link_status:up") == true
        }
        let probe = try fixture.read(
            LedgerProbe.self, LedgerProbe.parameters,
            """
            url: \(old.url)
            rate: 200/s
            timeout: 5s
            nodes: {old: \(old.url), new: \(new.url)}
            """)
        #expect(await probe.preflight(in: fixture.context).isEmpty)
        var fork = Instant(nanoseconds: 0)
        var (afterFork, reads) = (Set<Int64>(), [ReadBack]())
        try await fixture.run(probe) {
            try await eventually("a hundred writes") { fixture.operations.count >= 100 }
            // Replication is asynchronous: what ended before this instant is on the replica only once it got that far.
            fork = SystemTimeSource().now
            let acknowledged = try await offset(of: old, in: fixture)
            try await eventually("the replica has all of that") {
                try await offset(of: new, in: fixture) >= acknowledged
            }
            _ = try await fixture.ask(new, ["REPLICAOF", "NO", "ONE"])
            let forked = SystemTimeSource().now
            try await eventually("writes after the fork") {
                fixture.operations.count { $0.sent ?? fork > forked } >= 57
            }
            #expect(fixture.operations.allSatisfy { $0.outcome == .ok && $0.node == "old" })
        } afterwards: { session in
            await session.snapshot()
            let onNew = fixture.readBacks.first { $0.node == "new" && $0.stage == .evidence }
            let present = try #require(onNew).present
            afterFork = Set(fixture.operations.filter { op in !present.contains { $0 ~= op.sequence } }.map(\.sequence))
            _ = try await fixture.ask(old, ["REPLICAOF", "127.0.0.1", "\(new.port)"])
            try await eventually("the old primary has the new one's data") {
                try await fixture.ask(old, ["INFO", "replication"]).text?.contains("master_link_status:up") == true
            }
            reads = fixture.readBacks.filter { $0.stage == .evidence }
            await session.snapshot()
            _ = try await fixture.ask(old, ["REPLICAOF", "NO", "ONE"])
            await session.collect()
        }
        #expect(afterFork.count >= 57)
        // Before the old one was emptied, it held everything that was acknowledged.
        let before = try #require(reads.first { $0.node == "old" })
        #expect(fixture.operations.allSatisfy { op in before.present.contains { $0 ~= op.sequence } })
        // Afterwards exactly those are gone, all of them acknowledged after the fork began.
        let left = try #require(fixture.readBacks.last { $0.isAuthoritative && $0.stage == .final }).present
        let lost = Set(fixture.operations.map(\.sequence).filter { sequence in !left.contains { $0 ~= sequence } })
        #expect(lost == afterFork)
        #expect(fixture.operations.filter { lost.contains($0.sequence) }.allSatisfy { $0.end > fork })
        for server in [old, new] {
            #expect(try await fixture.ask(server, ["KEYS", "*"]).array?.isEmpty == true)
        }
    }

    /// How many bytes of its history a node has.
    private func offset(of server: RedisServer, in fixture: RedisFixture) async throws -> Int64 {
        let text = try #require(try await fixture.ask(server, ["INFO", "replication"]).text)
        return try #require(infoField("master_repl_offset", in: text).flatMap { Int64($0) })
    }

    @Test func aClientOfSentinelsComesBackAndAPinnedOneDoesNot() async throws {
        let fixture = try RedisFixture()
        let group = try await SentinelGroup()
        try await eventually("the Sentinels know each other") {
            try await group.isComplete(fixture.client, until: .soon())
        }
        let urls = group.nodes.map(\.url.text)
        let probe = try fixture.read(
            LedgerProbe.self, LedgerProbe.parameters,
            """
            sentinels: {s1: \(group.sentinels[0].url), s2: \(group.sentinels[1].url), s3: \(group.sentinels[2].url)}
            master: cache
            rate: 100/s
            pinned-rate: 50/s
            direct-rate: 20/s
            timeout: 500ms
            direct: {n1: "\(urls[0])", n2: "\(urls[1])", n3: "\(urls[2])"}
            """)
        try await fixture.run(probe) {
            try await eventually("writes on all paths") { Set(fixture.operations.map(\.path)).count == 5 }
            #expect(
                fixture.operations.filter { $0.path == "direct:n2" }.allSatisfy {
                    $0.outcome == .failed && $0.reason == "READONLY"
                })
            group.nodes[0].send(SIGKILL)
            let killed = SystemTimeSource().now
            try await eventually("clients of Sentinels write again") {
                fixture.operations.contains { $0.path == "sentinel" && $0.outcome == .ok && $0.sent ?? killed > killed }
            }
        }
        let last = fixture.operations.last { $0.path == "sentinel" && $0.outcome == .ok }
        #expect(["n2", "n3"].contains(last?.node.text))
        #expect(fixture.operations.last { $0.path == "direct:pinned" }?.outcome == .failed)
        let left = try #require(fixture.readBacks.last { $0.isAuthoritative })
        #expect(left.node == last?.node && left.failure.isEmpty)
        #expect(fixture.readBacks.contains { $0.node == "n1" && !$0.failure.isEmpty && $0.stage == .final })
        for server in group.nodes[1...] {
            #expect(try await fixture.ask(server, ["EXISTS", "squall:test:probe:1"]).integer == 0)
        }
    }

    @Test func unconfirmedWritesAreUnknown() async throws {
        let fixture = try RedisFixture()
        let server = try await RedisServer()
        let probe = try fixture.read(
            LedgerProbe.self, LedgerProbe.parameters,
            "url: \(server.url)\nrate: 10/s\nwait: 1\nwait-timeout: 20ms\ntimeout: 5s")
        try await fixture.run(probe) {
            try await eventually("some writes") { fixture.operations.count >= 5 }
        }
        #expect(fixture.operations.allSatisfy { $0.outcome == .unknown && $0.reason == "too-few-replicas" })
    }

    @Test func aFrozenServerMakesUnknownsThenFailures() async throws {
        let fixture = try RedisFixture()
        let server = try await RedisServer()
        let probe = try fixture.read(
            LedgerProbe.self, LedgerProbe.parameters, "url: \(server.url)\nrate: 100/s\ntimeout: 200ms")
        try await fixture.run(probe) {
            try await eventually("some writes") { fixture.operations.contains { $0.outcome == .ok } }
            server.send(SIGSTOP)
            try await eventually("a new connection gets no greeting") {
                fixture.operations.contains { $0.reason == "connect-timeout" }
            }
            server.send(SIGCONT)
            let thawed = SystemTimeSource().now
            try await eventually("it goes on") {
                fixture.operations.contains { $0.outcome == .ok && $0.sent ?? thawed > thawed }
            }
        }
        let unknown = fixture.operations.filter { $0.outcome == .unknown }
        #expect(!unknown.isEmpty && unknown.allSatisfy { $0.reason == "timeout" || $0.reason == "lost" })
        // Whatever was acknowledged is there.
        let left = try #require(fixture.readBacks.last { $0.isAuthoritative }).present
        for operation in fixture.operations where operation.outcome == .ok {
            #expect(left.contains { $0 ~= operation.sequence })
        }
    }

    @Test func aLedgerWithoutAPrimaryDoesNotStart() async throws {
        let fixture = try RedisFixture()
        let primary = try await RedisServer()
        let replica = try await RedisServer(["replicaof 127.0.0.1 \(primary.port)"])
        let probe = try fixture.read(LedgerProbe.self, LedgerProbe.parameters, "url: \(replica.url)")
        let findings = await probe.preflight(in: fixture.context)
        #expect(findings.count == 1 && findings[0].severity == .error)
        #expect(findings.first?.message.contains("it calls itself slave") == true, "\(findings)")
        #expect(throws: (any Error).self) { try fixture.read(LedgerProbe.self, LedgerProbe.parameters, "rate: 1/s") }
    }
}
