import Basics
import Contracts
import Experiment
import Glibc
import RedisSupport
import Testing

@testable import Redis

/// Finding the primary and watching Sentinels, on real ones.
@Suite struct SentinelTests {
    private func complete(_ fixture: RedisFixture) async throws -> SentinelGroup {
        let group = try await SentinelGroup()
        try await eventually("the Sentinels know each other") {
            try await group.isComplete(fixture.client, until: .soon())
        }
        return group
    }

    private func find(_ location: PrimaryLocation, _ fixture: RedisFixture) async throws -> RedisURL {
        let finder = PrimaryFinder(location, fixture.client, fixture.context.secrets)
        let found = try await finder.connect(until: .soon(.seconds(5)))
        await found.connection.close()
        return found.url
    }

    @Test func thePrimaryIsFoundBeforeAndAfterAFailover() async throws {
        let fixture = try RedisFixture()
        let group = try await complete(fixture)
        #expect(try await find(group.location, fixture).text.hasSuffix(":\(group.nodes[0].port)"))
        // One Sentinel that hangs and one that is dead do not keep a client from it.
        group.sentinels[1].send(SIGSTOP)
        #expect(try await find(group.location, fixture).text.hasSuffix(":\(group.nodes[0].port)"))
        // Nor do two that hang, whose word is not waited for until the client's time is up.
        group.sentinels[2].send(SIGSTOP)
        let finder = PrimaryFinder(group.location, fixture.client, fixture.context.secrets)
        let primary = try await finder.connect(until: .soon(.seconds(1)))
        await primary.connection.close()
        group.sentinels[1].send(SIGCONT)
        group.sentinels[2].send(SIGCONT)
        group.nodes[0].send(SIGKILL)
        var found = ""
        // A Sentinel that was stopped for more than two seconds only watches for half a minute.
        try await eventually("another one is found", within: .minutes(2)) {
            found = (try? await find(group.location, fixture))?.text ?? ""
            return group.nodes[1...].contains { found.hasSuffix(":\($0.port)") }
        }
    }

    @Test func whatCannotBeReachedIsTranslated() async throws {
        let fixture = try RedisFixture()
        let primary = try await RedisServer()
        // A Sentinel that names what only its own network knows.
        let sentinel = try await RedisServer(
            [
                "sentinel resolve-hostnames yes", "sentinel announce-hostnames yes",
                "sentinel monitor cache localhost \(primary.port) 1",
            ], role: "sentinel")
        var location = PrimaryLocation(sentinels: [sentinel.url], master: "cache")
        location.primaryURL = "redis://127.0.0.2:1?{address}"
        location.addresses = ["localhost:\(primary.port)": primary.url]
        #expect(try await find(location, fixture) == primary.url)
        location.addresses = [:]
        location.primaryURL = "redis://{address}.invalid"
        let error = await #expect(throws: RedisError.self) { try await find(location, fixture) }
        #expect(error?.commandSent == false)
    }

    @Test func anUnknownNameAndAnUnreachablePrimaryAreSaid() async throws {
        let fixture = try RedisFixture()
        let primary = try await RedisServer()
        let sentinel = try await RedisServer(["sentinel monitor cache 127.0.0.1 \(primary.port) 1"], role: "sentinel")
        let unknown = await #expect(throws: RedisError.self) {
            try await find(PrimaryLocation(sentinels: [sentinel.url], master: "cash"), fixture)
        }
        #expect(unknown?.message == "no Sentinel knows a primary with the name cash")
        primary.send(SIGKILL)
        let dead = await #expect(throws: RedisError.self) {
            try await find(PrimaryLocation(sentinels: [sentinel.url], master: "cache"), fixture)
        }
        #expect(
            dead?.message.hasPrefix("Sentinels name 127.0.0.1:\(primary.port) as the primary of cache, but:") == true)
        // A Redis is no Sentinel.
        let node = try await RedisServer()
        let error = await #expect(throws: RedisError.self) {
            try await find(PrimaryLocation(sentinels: [node.url], master: "cache"), fixture)
        }
        #expect(error?.word == "ERR")
    }

    @Test func viewsEventsAndMajoritiesAreOnTheTimeline() async throws {
        let fixture = try RedisFixture()
        let group = try await complete(fixture)
        let probe = try fixture.read(
            SentinelsProbe.self, SentinelsProbe.parameters,
            """
            nodes: {s1: \(group.sentinels[0].url), s2: \(group.sentinels[1].url), s3: \(group.sentinels[2].url)}
            master: cache
            every: 50ms
            """)
        #expect(await probe.preflight(in: fixture.context).isEmpty)
        #expect(probe.target(forNode: "s1")?.attributes[.redisURL] == group.sentinels[0].url.text)
        try await fixture.run(probe) {
            try await eventually("all three agree and are usable") {
                fixture.last("views") == 1 && fixture.last("usable") == 3
            }
            #expect(fixture.states.last?.identity.text == "127.0.0.1:\(group.nodes[0].port)")
            // What is announced before the subscriptions is missed.
            for sentinel in group.sentinels {
                try await eventually("the probe listens") {
                    try await fixture.ask(sentinel, ["CLIENT", "LIST", "TYPE", "pubsub"]).text?.contains("psub=1")
                        == true
                }
            }
            group.nodes[0].send(SIGKILL)
            try await eventually("the switch is announced by each of them") {
                ["s1", "s2", "s3"].allSatisfy { name in
                    fixture.notes.contains { $0.hasPrefix("\(name): +switch-master cache") }
                }
            }
            #expect(fixture.notes.contains { $0.contains("+sdown master cache 127.0.0.1 \(group.nodes[0].port)") })
            #expect(fixture.states.contains { $0.state == "agreed-down" || $0.state == "failing-over" })
            // More than one when the first vote was split.
            try await eventually("the epoch has risen") { fixture.states.contains { $0.generation ?? 0 >= 1 } }
            for sentinel in group.sentinels[1...] { sentinel.send(SIGKILL) }
            try await eventually("the majority is gone") { fixture.last("usable") == 0 }
            #expect(fixture.states.contains { $0.node == "s2" && $0.state == StateSample.unreachable })
        }
    }
}

/// How far replicas are behind, on real ones.
@Suite struct ReplicationLagTests {
    @Test func aFrozenReplicaFallsBehindAndCatchesUp() async throws {
        let fixture = try RedisFixture()
        let primary = try await RedisServer(["repl-diskless-sync-delay 0"])
        let replica = try await RedisServer(["replicaof 127.0.0.1 \(primary.port)"])
        try await eventually("the replica is in sync") {
            try await fixture.ask(replica, ["INFO", "replication"]).text?.contains("master_link_status:up") == true
        }
        let probe = try fixture.read(
            ReplicationLagProbe.self, ReplicationLagProbe.parameters,
            """
            url: \(primary.url)
            nodes: {a: \(primary.url), b: \(replica.url)}
            every: 20ms
            timeout: 200ms
            """)
        #expect(await probe.preflight(in: fixture.context).isEmpty)
        try await fixture.run(probe) {
            try await eventually("the replica shows the newest beat") { fixture.last("lag") == 0 }
            // The primary is never behind itself.
            #expect(fixture.measurements.allSatisfy { $0.node == "b" })
            replica.send(SIGSTOP)
            let stopped = SystemTimeSource().now
            try await eventually("it is a second behind") { fixture.last("lag") ?? 0 > 1 }
            let last = try #require(fixture.measurements.last)
            #expect(last.isCensored)
            #expect(last.value <= (last.at - stopped).seconds + 0.1)
            replica.send(SIGCONT)
            try await eventually("it has caught up") { fixture.last("lag") == 0 }
        }
        #expect(try await fixture.ask(primary, ["DBSIZE"]).integer == 0)
    }
}
