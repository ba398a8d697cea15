import Basics
import Contracts
import Experiment
import Glibc
import RedisSupport
import Testing

@testable import Redis

/// The roles probe on real nodes that replicate, part, freeze and are replaced.
@Suite struct RolesProbeTests {
    private static let nowhere = Location(file: "test.yaml", line: 1, column: 1)

    private func probe(_ nodes: [(String, RedisURL)], every: String = "20ms") throws -> RolesProbe {
        func node(_ text: String) -> Node { .scalar(.init(text, at: Self.nowhere)) }
        func mapping(_ entries: [(String, Node)]) -> Node {
            .mapping(.init(entries.map { .init($0.0, at: Self.nowhere, $0.1) }, at: Self.nowhere))
        }
        let parameters = mapping([
            ("nodes", mapping(nodes.map { ($0.0, node($0.1.text)) })), ("every", node(every)),
            ("timeout", node("1s")),
        ])
        var diagnostics = Diagnostics()
        let probe = ParameterReader.read(parameters, RolesProbe.parameters, into: &diagnostics) {
            RolesProbe(name: "roles", from: &$0)
        }
        return try #require(probe, "\(diagnostics.all.map(\.message))")
    }

    private func call(_ fixture: RedisFixture, _ server: RedisServer, _ command: [String]) async throws -> RedisValue {
        try await fixture.client.session(server.url, in: fixture.context, until: .soon(), "call") {
            connection throws(RedisError) in
            try await connection.call(command, until: .soon())
        }
    }

    /// A primary and a replica that has everything.
    private func pair(_ fixture: RedisFixture) async throws -> (RedisServer, RedisServer) {
        let primary = try await RedisServer(["repl-diskless-sync-delay 0"])
        let replica = try await RedisServer(["replicaof 127.0.0.1 \(primary.port)"])
        try await eventually("the replica is in sync") {
            try await call(fixture, replica, ["INFO", "replication"]).text?.contains("master_link_status:up") == true
        }
        return (primary, replica)
    }

    @Test func rolesOffsetsAndHistoriesAreThoseOfTheNodes() async throws {
        let fixture = try RedisFixture()
        let (primary, replica) = try await pair(fixture)
        let probe = try probe([("a", primary.url), ("b", replica.url)])
        #expect(await probe.preflight(in: fixture.context).isEmpty)
        #expect(probe.target(forNode: "a")?.id == "redis:a")
        #expect(probe.target(forNode: "c") == nil)
        _ = try await call(fixture, primary, ["SET", "k", "v"])
        try await fixture.run(probe) {
            try await eventually("both are seen") { Set(fixture.states.map(\.node)).count == 2 }
            try await eventually("both are at one offset") {
                let last = ["a", "b"].map { name in fixture.states.last { $0.node.text == name }?.position }
                return last[0] == last[1] && last[0] ?? 0 > 0
            }
        }
        let last = Dictionary(fixture.states.map { ($0.node.text, $0) }) { $1 }
        #expect(last["a"]?.state == StateSample.primary)
        #expect(last["b"]?.state == StateSample.replica)
        #expect(last["a"]?.identity == last["b"]?.identity)
        #expect(last["a"]?.identity.text.count == 40)
        #expect(fixture.notes.sorted() == ["a is primary", "b is replica"])
        #expect(fixture.values.isEmpty)
    }

    /// R6: what the old primary wrote after the fork is counted in bytes of its replication stream.
    @Test func aForkIsToldWithWhatTheOldPrimaryAloneHas() async throws {
        let fixture = try RedisFixture()
        let (old, new) = try await pair(fixture)
        try await fixture.run(try probe([("old", old.url), ("new", new.url)])) {
            try await eventually("both are seen") { Set(fixture.states.map(\.node)).count == 2 }
            _ = try await call(fixture, new, ["REPLICAOF", "NO", "ONE"])
            for number in 1...57 { _ = try await call(fixture, old, ["SET", "old-\(number)", "x"]) }
            for number in 1...11 { _ = try await call(fixture, new, ["SET", "new-\(number)", "x"]) }
            let before = fixture.states.count
            try await eventually("both are seen again") { fixture.states.count > before + 4 }
        }
        let fork = NodeState(info: try await call(fixture, new, ["INFO", "replication"]).text ?? "")
        let truth = NodeState(info: try await call(fixture, old, ["INFO", "replication"]).text ?? "")
        let bytes = try #require(truth?.offset) - (try #require(fork?.forkOffset) - 1)
        #expect(fixture.values.last == Double(bytes))
        // 57 commands of *3 SET old-N x: 31 or 32 bytes each, and SELECT before the first at most.
        #expect((57 * 31...57 * 33 + 23).contains(bytes), "\(bytes)")
        let told = fixture.notes.filter { $0.hasPrefix("two primaries: new parted from old at offset") }
        #expect(told.count == 1, "\(fixture.notes)")
        #expect(fixture.notes.contains("new is primary (was replica)"))
    }

    @Test func aFrozenADeadAndAReplacedNodeAreToldApart() async throws {
        let fixture = try RedisFixture()
        let first = try await RedisServer()
        try await fixture.run(try probe([("a", first.url)])) {
            try await eventually("it is primary") { fixture.notes == ["a is primary"] }
            first.send(SIGSTOP)
            try await eventually("it is silent") { fixture.states.last?.detail.text == "timeout" }
            first.send(SIGCONT)
            try await eventually("it answers") { fixture.states.last?.state == StateSample.primary }
            first.send(SIGKILL)
            try await eventually("it is gone") { fixture.states.last?.detail.text == "refused" }
            let second = try await RedisServer(port: first.port)
            try await eventually("it answers again") { fixture.states.last?.state == StateSample.primary }
            withExtendedLifetime(second) {}
        }
        let texts = fixture.notes.map { $0.prefix { $0 != ":" } }
        #expect(
            texts == [
                "a is primary", "a is unreachable (was primary)", "a is primary (was unreachable)",
                "a is unreachable (was primary)", "another process answers for a", "a is primary (was unreachable)",
            ], "\(fixture.notes)")
    }

    @Test func whatIsNoClusterIsFoundBeforeTheRun() async throws {
        let fixture = try RedisFixture()
        let (one, other) = (try await RedisServer(), try await RedisServer())
        let strangers = await (try probe([("a", one.url), ("b", other.url)])).preflight(in: fixture.context)
        #expect(strangers.map(\.severity) == [.error])
        #expect(strangers.first?.message.contains("do not hold one history") == true)
        let sentinel = try await RedisServer(role: "sentinel")
        let none = await (try probe([("a", one.url), ("s", sentinel.url)])).preflight(in: fixture.context)
        #expect(none.first?.message.contains("node s is no data node") == true, "\(none)")
        one.send(SIGKILL)
        let dead = await (try probe([("a", one.url)])).preflight(in: fixture.context)
        #expect(dead.map(\.severity) == [.warning, .error], "\(dead)")
        #expect(dead.last?.message.contains("none of the 1 nodes answers") == true)
    }

    @Test(arguments: ["", "role:master", "# Replication\r\nrole:sentinel\r\nmaster_replid:x", "redis_version:7.0.15"])
    func whatIsNoReplicationSectionIsNoState(text: String) {
        #expect(NodeState(info: text) == nil)
    }

    /// Two promotions one after the other: the last one names only the history before it.
    @Test func historiesAreOneWhenEachCameFromAnother() throws {
        func state(_ own: String, _ origin: String) throws -> NodeState {
            try #require(NodeState(info: "role:master\r\nmaster_replid:\(own)\r\nmaster_replid2:\(origin)\r\n"))
        }
        let states = [try state("a", "0"), try state("b", "a"), try state("c", "b")]
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]] {
            #expect(!RolesProbe.areStrangers(order.map { states[$0] }), "\(order)")
        }
        #expect(RolesProbe.areStrangers([states[0], states[2]]))
        #expect(!RolesProbe.areStrangers([]))
    }
}
