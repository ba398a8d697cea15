import Basics
import Contracts
import Experiment
import RedisSupport
import Testing

@testable import Redis

/// Keys of ours in a Redis, found without any journal of the run that left them.
@Suite struct LeftoverTests {
    @Test func keysAreFoundByTheirNameOnPrimariesOnlyAndSentinelsAreNotAsked() async throws {
        let fixture = try RedisFixture()
        let primary = try await RedisServer(["repl-diskless-sync-delay 0"])
        let replica = try await RedisServer(["replicaof 127.0.0.1 \(primary.port)"])
        let sentinel = try await RedisServer(["sentinel monitor cache 127.0.0.1 \(primary.port) 1"], role: "sentinel")
        for key in ["squall:Run-7:orders:0", "squall:Run-7:orders:1", "squall:Run-8:fill:4", "squallor", "other"] {
            _ = try await fixture.ask(primary, ["SET", key, "1"])
        }
        try await eventually("the replica has them") { try await fixture.ask(replica, ["DBSIZE"]).integer == 5 }
        let places = [
            KnownSystems.Place(
                kind: "redis.ledger",
                document: .object([
                    "nodes": .object(["a": .string(primary.url.text), "b": .string(replica.url.text)]),
                    "sentinels": .object(["s": .string("redis://127.0.0.1:1")]),
                ]), secrets: .empty),
            KnownSystems.Place(
                kind: "redis.sentinel-failover",
                document: .object(["target": .object(["url": .string(sentinel.url.text)])]), secrets: .empty),
        ]
        let found = await RedisLeftovers().scan(KnownSystems(places: places), in: fixture.context)
        #expect(found.map(\.failure) == [nil, nil])
        #expect(found.first?.marks.map(\.run) == ["Run-7", "Run-8"])
        #expect(found.first?.marks.first?.leftover.description == "2 keys squall:Run-7:orders:*")
        #expect(found.last?.marks.isEmpty == true)
    }

    @Test func aServerThatDoesNotAnswerIsSaidToBeUnknown() async throws {
        let fixture = try RedisFixture()
        let place = KnownSystems.Place(
            kind: "redis.config", document: .object(["url": .string("redis://127.0.0.1:1")]), secrets: .empty)
        let found = await RedisLeftovers().scan(KnownSystems(places: [place, place]), in: fixture.context)
        #expect(found.count == 1)
        #expect(found.first?.failure?.contains("refused") == true, "\(found)")
    }
}
