import Basics
import Contracts
import Experiment
import Glibc
import PostgresSupport
import Testing

@testable import Postgres

/// Roles and timelines as each node states them, right through a promotion.
@Suite(.serialized) struct RolesTests {
    @Test func aPromotionShowsItsNewTimelineInTheFirstSampleAsPrimary() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let probe = RolesProbe(
                name: "roles", nodes: nodes(primary, standby), every: .milliseconds(10), timeout: .milliseconds(500))
            #expect(await probe.preflight(in: cluster.context).isEmpty)
            try await watch(cluster, probe) {
                try await cluster.until("both are seen") { samples(cluster, "pg-2").count >= 3 }
                try await cluster.ask(standby, "SELECT pg_promote()")
                try await cluster.until("pg-2 is primary") {
                    samples(cluster, "pg-2").last?.state == StateSample.primary
                }
                await primary.kill()
                try await cluster.until("pg-1 is unreachable") {
                    samples(cluster, "pg-1").last?.state == StateSample.unreachable
                }
            }
            let second = samples(cluster, "pg-2")
            #expect(second.first?.state == StateSample.replica)
            // The new timeline is on disk some milliseconds before recovery ends: the last looks as a replica may show it.
            let asReplica = second.filter { $0.state == StateSample.replica }.map(\.generation)
            #expect(asReplica.first == 1 && asReplica.allSatisfy { $0 == 1 || $0 == 2 })
            #expect(asReplica.drop { $0 == 1 }.allSatisfy { $0 == 2 })
            #expect(asReplica.count { $0 == 2 } <= 20, "a fifth of a second at 10 ms a look")
            let promoted = second.filter { $0.state == StateSample.primary }
            #expect(!promoted.isEmpty && promoted.allSatisfy { $0.generation == 2 })
            let first = samples(cluster, "pg-1").filter { $0.state != StateSample.unreachable }
            #expect(first.allSatisfy { $0.state == StateSample.primary && $0.generation == 1 })
            #expect(Set((first + second).map(\.identity)).count == 1)
            #expect(first.first?.identity.text.count ?? 0 > 10)
            #expect(first.allSatisfy { ($0.position ?? 0) > 0 } && second.allSatisfy { ($0.position ?? 0) > 0 })
            // What the checkpoint says is still the old timeline, unless a checkpoint has come by chance.
            let notes = cluster.recorder.history.notes.map(\.message)
            #expect(notes.contains("pg-1 is primary on timeline 1"))
            #expect(notes.contains { $0.hasPrefix("pg-2 is primary on timeline 2 (was replica on timeline ") })
            #expect(notes.contains { $0.hasPrefix("pg-1 is unreachable (was primary") })
        }
    }

    @Test func aStandbyWithoutAReceiverStillKnowsItsTimeline() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            await primary.kill()
            try await cluster.until("the receiver is gone") {
                try await cluster.ask(standby, "SELECT count(*) FROM pg_stat_wal_receiver").integer(0, 0) == 0
            }
            let full = NodeState(try await cluster.ask(standby, NodeState.query))
            #expect(full?.isInRecovery == true)
            #expect(full?.timeline == 1)
            let reduced = NodeState(try await cluster.ask(standby, NodeState.queryWithoutPrivileges))
            #expect(reduced?.isInRecovery == true)
            try await cluster.ask(standby, "SELECT pg_promote()")
            let promoted = NodeState(try await cluster.ask(standby, NodeState.query))
            #expect(promoted?.isInRecovery == false)
            #expect(promoted?.timeline == 2)
        }
    }

    @Test func aUserWithoutRightsGetsTheRoleAllTheSame() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            try await cluster.ask(primary, "CREATE ROLE looker LOGIN")
            try await cluster.caughtUp(standby, with: primary)
            let looker = [("pg-1", primary), ("pg-2", standby)].map { name, server in
                NamedValue(
                    name: name,
                    value: NodeAddress(dsn: DSN("host=127.0.0.1 port=\(server.port) user=looker dbname=postgres")))
            }
            let probe = RolesProbe(name: "roles", nodes: looker, every: .milliseconds(20), timeout: .seconds(1))
            try await watch(cluster, probe) {
                try await cluster.until("both are seen") {
                    samples(cluster, "pg-1").count >= 3 && samples(cluster, "pg-2").count >= 3
                }
            }
            #expect(samples(cluster, "pg-1").allSatisfy { $0.state == StateSample.primary && $0.generation == 1 })
            #expect(samples(cluster, "pg-2").allSatisfy { $0.state == StateSample.replica })
        }
    }

    @Test func aHungNodeDelaysNoOtherAndIsAskedOneQuestionAtATime() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let probe = RolesProbe(
                name: "roles", nodes: nodes(primary, standby), every: .milliseconds(20), timeout: .milliseconds(300))
            try await watch(cluster, probe) {
                try await cluster.until("both are seen") { samples(cluster, "pg-1").count >= 3 }
                primary.signal(SIGSTOP)
                try await cluster.until("pg-1 is unreachable twice") {
                    samples(cluster, "pg-1").filter { $0.state == StateSample.unreachable }.count >= 2
                }
                primary.signal(SIGCONT)
                try await cluster.until("pg-1 is back") {
                    samples(cluster, "pg-1").last?.state == StateSample.primary
                }
            }
            let hung = samples(cluster, "pg-1").filter { $0.state == StateSample.unreachable }
            #expect(hung.allSatisfy { $0.end - $0.sent >= .milliseconds(299) })
            for (earlier, later) in zip(samples(cluster, "pg-1"), samples(cluster, "pg-1").dropFirst()) {
                #expect(later.sent >= earlier.end)
            }
            let others = samples(cluster, "pg-2")
            #expect(others.allSatisfy { $0.state == StateSample.replica })
            #expect(others.count >= 10)
        }
    }

    @Test func namesTheTargetBehindANode() throws {
        var diagnostics = Diagnostics()
        let here = Location(file: "f", line: 1, column: 1)
        func text(_ value: String) -> Node { .scalar(.init(value, isQuoted: true, at: here)) }
        let long = Node.mapping(
            .init(
                [.init("dsn", at: here, text("host=b")), .init("patroni", at: here, text("http://b:8008"))], at: here))
        let nodes = Node.mapping(
            .init([.init("pg-1", at: here, text("host=a")), .init("pg-2", at: here, long)], at: here))
        let probe = ParameterReader.read(
            .mapping(.init([.init("nodes", at: here, nodes)], at: here)), RolesProbe.parameters, into: &diagnostics
        ) { RolesProbe(name: "roles", from: &$0) }
        #expect(diagnostics.all.isEmpty)
        #expect(probe?.target(forNode: "pg-1")?.attributes == [.node: "pg-1", .postgresDSN: "host=a"])
        #expect(
            probe?.target(forNode: "pg-2")?.attributes
                == [.node: "pg-2", .postgresDSN: "host=b", .patroniURL: "http://b:8008"])
        #expect(probe?.target(forNode: "pg-3") == nil)
    }
}

private func nodes(_ primary: PostgresServer, _ standby: PostgresServer) -> [NamedValue<NodeAddress>] {
    [
        NamedValue(name: "pg-1", value: NodeAddress(dsn: primary.dsn)),
        NamedValue(name: "pg-2", value: NodeAddress(dsn: standby.dsn)),
    ]
}

private func samples(_ cluster: Cluster, _ node: Label) -> [StateSample] {
    cluster.recorder.history.states.filter { $0.node == node }
}

/// Runs a probe while `body` runs.
func watch(
    _ cluster: Cluster, _ probe: some Probe, _ body: @escaping @Sendable () async throws -> Void
) async throws {
    let session = try await probe.start(in: cluster.probeContext)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await session.run() }
        group.addTask { try await body() }
        try await group.next()
        group.cancelAll()
        try await group.waitForAll()
    }
    try await session.close()
}
