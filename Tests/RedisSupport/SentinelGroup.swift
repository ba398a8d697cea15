package import Basics
internal import Contracts
package import Redis

/// A primary, two replicas and three Sentinels of a test's own, all on loopback.
package final class SentinelGroup: Sendable {
    package static let master = "cache"
    /// A primary that is silent for so long is taken for dead.
    package static let detection = Span.seconds(1)

    package let nodes: [RedisServer]
    package let sentinels: [RedisServer]

    package init() async throws {
        let common = ["repl-diskless-sync-delay 0", "enable-debug-command yes", "repl-timeout 10"]
        let primary = try await RedisServer(common)
        var nodes = [primary]
        for _ in 0..<2 {
            nodes.append(try await RedisServer(common + ["replicaof 127.0.0.1 \(primary.port)"]))
        }
        var sentinels: [RedisServer] = []
        for _ in 0..<3 {
            sentinels.append(
                try await RedisServer(
                    [
                        "sentinel monitor \(Self.master) 127.0.0.1 \(primary.port) 2",
                        "sentinel down-after-milliseconds \(Self.master) \(Self.detection.nanoseconds / 1_000_000)",
                        "sentinel failover-timeout \(Self.master) 5000",
                    ], role: "sentinel"))
        }
        self.nodes = nodes
        self.sentinels = sentinels
    }

    /// As a ledger takes it.
    package var location: PrimaryLocation {
        PrimaryLocation(sentinels: sentinels.map(\.url), master: Self.master)
    }

    /// Replicas in sync, and every Sentinel knows all the others.
    package func isComplete(_ client: RedisClient, until deadline: Instant) async throws -> Bool {
        for sentinel in sentinels {
            let text = try await ask(client, sentinel, ["INFO", "sentinel"], until: deadline)
            guard text.contains("slaves=2,sentinels=3"), text.contains("status=ok") else { return false }
        }
        for replica in nodes.dropFirst() {
            let text = try await ask(client, replica, ["INFO", "replication"], until: deadline)
            guard text.contains("master_link_status:up") else { return false }
        }
        return true
    }

    private func ask(
        _ client: RedisClient, _ server: RedisServer, _ command: [String], until deadline: Instant
    ) async throws -> String {
        let connection = try await client.connect(server.url, .empty, until: deadline)
        let answer = try await connection.call(command, until: deadline)
        await connection.close()
        return answer.text ?? ""
    }
}
