import Basics
import Contracts
import Experiment
import Glibc
import RedisSupport
import Testing

@testable import Redis

/// Redis Cluster: who owns what, writes that find the owner, and takeovers, on a real one.
@Suite(.serialized) struct ClusterTests {
    /// The specification's own example, and what `CLUSTER KEYSLOT` of Redis 7.0 says.
    @Test(arguments: [
        ("123456789", 0x31C3), ("foo", 12_182), ("{user1000}.following", 3_443), ("{user1000}.followers", 3_443),
        ("foo{}{bar}", 8_363), ("foo{{bar}}zap", 4_015), ("", 0),
    ])
    func aKeyHasItsSlot(key: String, slot: Int) {
        #expect(SlotMap.slot(of: key) == slot)
    }

    @Test func redirectionsAreRead() {
        let moved = Redirection("MOVED 3999 127.0.0.1:6381", asked: "h")
        #expect(moved?.isMoved == true && moved?.slot == 3999 && moved?.address == "127.0.0.1:6381")
        #expect(Redirection("ASK 3999 :6381", asked: "h")?.address == "h:6381")
        #expect(Redirection("CLUSTERDOWN Hash slot not served", asked: "h") == nil)
    }

    private func complete(_ fixture: RedisFixture) async throws -> ClusterGroup {
        let group = try await ClusterGroup()
        try await eventually("the cluster is whole") { try await group.isComplete(fixture.client, until: .soon()) }
        return group
    }

    private func ledger(_ fixture: RedisFixture, _ group: ClusterGroup) throws -> LedgerProbe {
        let nodes = group.nodes.enumerated().map { "c\($0.offset + 1): \"\($0.element.url)\"" }.joined(separator: ", ")
        return try fixture.read(
            LedgerProbe.self, LedgerProbe.parameters,
            "cluster: {\(nodes)}\nnodes: {\(nodes)}\nrate: 200/s\ntimeout: 2s")
    }

    private func keysLeft(_ fixture: RedisFixture, _ servers: some Sequence<RedisServer>) async throws -> [Int64?] {
        var counts: [Int64?] = []
        for server in servers { counts.append(try await fixture.ask(server, ["DBSIZE"]).integer) }
        return counts
    }

    @Test func writesGoToEveryShardAndComeBackAfterANodeIsLost() async throws {
        let fixture = try RedisFixture()
        let group = try await complete(fixture)
        let probe = try ledger(fixture, group)
        #expect(await probe.preflight(in: fixture.context).isEmpty)
        try await fixture.run(probe) {
            try await eventually("every shard acknowledges") {
                Set(fixture.operations.filter { $0.outcome == .ok }.map(\.node)) == ["c1", "c2", "c3"]
            }
            #expect(fixture.operations.allSatisfy { $0.path == "cluster" })
            #expect(fixture.operations.filter { $0.outcome != .ok }.map(\.reason.text).isEmpty)
            group.nodes[0].send(SIGKILL)
            let killed = SystemTimeSource().now
            try await eventually("a replica has taken over, and all three shards acknowledge") {
                let fresh = fixture.operations.filter { $0.outcome == .ok && $0.sent ?? killed > killed }
                return Set(fresh.map(\.node)).count == 3 && fresh.contains { !["c2", "c3"].contains($0.node.text) }
            }
        }
        let left = try #require(fixture.readBacks.last { $0.isAuthoritative })
        #expect(left.failure.isEmpty && left.node == "cluster")
        #expect(fixture.operations.contains { $0.outcome != .ok })
        // Each node holds its own shard's part.
        let part = try #require(fixture.readBacks.last { $0.node == "c2" && $0.stage == .final })
        #expect(part.failure.isEmpty && !part.present.isEmpty && part.present != left.present)
        try await eventually("the replicas have removed them, too") {
            try await keysLeft(fixture, group.nodes[1...]).allSatisfy { $0 == 0 }
        }
    }

    @Test(arguments: ["agreed", "force", "takeover"])
    func aTakeoverIsFollowedAndAnAgreedOneLosesNothing(mode: String) async throws {
        let fixture = try RedisFixture()
        let group = try await complete(fixture)
        let probe = try ledger(fixture, group)
        let fault = try fixture.fault(
            ClusterFailoverFault.self, ClusterFailoverFault.parameters, "mode: \(mode)")
        var shardMembers = ["c1"]
        try await fixture.run(probe) {
            try await eventually("a hundred writes") { fixture.operations.count >= 100 }
            var replica: RedisServer?
            for server in group.nodes[3...] {
                let role = try await fixture.ask(server, ["ROLE"]).array ?? []
                if role.count > 2, role[2].integer == Int64(group.nodes[0].port) { replica = server }
            }
            let chosen = try #require(replica)
            shardMembers.append("c\(try #require(group.nodes.firstIndex { $0 === chosen }) + 1)")
            let target = RedisTarget.target(named: "r", at: chosen.url)
            let undo = try await fault.prepare(target, in: fixture.context)
            let effect = try await fault.inject(undo, in: fixture.context)
            guard case .confirmed(let range, let evidence) = effect else {
                Issue.record("\(effect)")
                return
            }
            #expect(evidence.hasSuffix("owns the slots that 127.0.0.1:\(group.nodes[0].port) had"))
            try await eventually("the new owner acknowledges") {
                fixture.operations.contains {
                    $0.outcome == .ok && $0.node.text == shardMembers[1] && $0.sent ?? range.upper > range.upper
                }
            }
            // The one that took over has nothing left to take over.
            await #expect(throws: FaultError.self) { try await fault.prepare(target, in: fixture.context) }
        }
        let left = try #require(fixture.readBacks.last { $0.isAuthoritative })
        #expect(left.failure.isEmpty)
        guard mode == "agreed" else { return }
        for operation in fixture.operations where operation.outcome == .ok {
            #expect(left.present.contains { $0 ~= operation.sequence }, "\(operation.sequence) is gone")
        }
    }

    @Test func anOwnerThatHangsIsLeftWhenAnotherHasItsSlots() async throws {
        let fixture = try RedisFixture()
        let group = try await complete(fixture)
        let probe = try ledger(fixture, group)
        try await fixture.run(probe) {
            try await eventually("every shard acknowledges") {
                Set(fixture.operations.filter { $0.outcome == .ok }.map(\.node)) == ["c1", "c2", "c3"]
            }
            group.nodes[0].send(SIGSTOP)
            let stopped = SystemTimeSource().now
            try await eventually("a replica acknowledges while the old owner hangs") {
                fixture.operations.contains {
                    $0.outcome == .ok && $0.sent ?? stopped > stopped && !["c1", "c2", "c3"].contains($0.node.text)
                }
            }
            group.nodes[0].send(SIGCONT)
        }
        #expect(fixture.readBacks.last { $0.isAuthoritative }?.failure == "")
    }

    @Test func slotsThatNobodyOwnsAreSeen() async throws {
        let fixture = try RedisFixture()
        let group = try await complete(fixture)
        let nodes = group.nodes.enumerated().map { "c\($0.offset + 1): \"\($0.element.url)\"" }.joined(separator: ", ")
        let probe = try fixture.read(ClusterProbe.self, ClusterProbe.parameters, "nodes: {\(nodes)}\nevery: 50ms")
        #expect(await probe.preflight(in: fixture.context).isEmpty)
        try await fixture.run(probe) {
            try await eventually("all slots are covered") { fixture.last("uncovered") == 0 }
            #expect(fixture.states.allSatisfy { $0.state == "ok" })
            // A shard with both its nodes.
            group.nodes[0].send(SIGKILL)
            for (index, server) in group.nodes.enumerated() where index > 2 {
                let role = try await fixture.ask(server, ["ROLE"]).array ?? []
                if role.count > 2, role[2].integer == Int64(group.nodes[0].port) { server.send(SIGKILL) }
            }
            try await eventually("the others see that slots are lost") {
                fixture.states.contains { $0.node == "c2" && $0.state == "fail" }
                    && fixture.measurements.contains { $0.node == "c2" && $0.metric == "uncovered" && $0.value > 5_000 }
            }
            #expect(fixture.states.contains { $0.node == "c1" && $0.state == StateSample.unreachable })
        }
        let ledger = try ledger(fixture, group)
        let findings = await ledger.preflight(in: fixture.context)
        #expect(
            findings.contains { $0.severity == .error && $0.message.contains("its cluster is down") }, "\(findings)")
    }
}
