package import Basics
internal import Contracts
package import Redis
internal import TestSupport

/// A Redis Cluster of a test's own on loopback: three shards with one replica each.
package final class ClusterGroup: Sendable {
    /// In the order in which `redis-cli` makes primaries of the first three, and replicas of the others.
    package let nodes: [RedisServer]

    package init(nodeTimeout: Span = .seconds(2)) async throws {
        var nodes: [RedisServer] = []
        for _ in 0..<6 {
            let port = Self.freePort()
            nodes.append(
                try await RedisServer(
                    [
                        "cluster-enabled yes", "cluster-config-file nodes.conf", "repl-diskless-sync-delay 0",
                        "cluster-node-timeout \(nodeTimeout.nanoseconds / 1_000_000)",
                    ], port: port))
        }
        self.nodes = nodes
        let places = nodes.map { "127.0.0.1:\($0.port)" }
        try ChildProcess.run(
            ["redis-cli", "--cluster", "create"] + places + ["--cluster-replicas", "1", "--cluster-yes"])
    }

    /// The nodes talk to each other on a port ten thousand higher, which must be free, too.
    private static func freePort() -> UInt16 {
        while true {
            let port = freeLoopbackPort()
            if isFreeLoopbackPort(port + 10_000) { return port }
        }
    }

    package var location: PrimaryLocation { PrimaryLocation(cluster: nodes.map(\.url)) }

    /// Every node sees all slots covered, and every replica is in sync.
    package func isComplete(_ client: RedisClient, until deadline: Instant) async throws -> Bool {
        for node in nodes {
            let connection = try await client.connect(node.url, .empty, until: deadline)
            let cluster = try await connection.call(["CLUSTER", "INFO"], until: deadline).text ?? ""
            let replication = try await connection.call(["INFO", "replication"], until: deadline).text ?? ""
            await connection.close()
            guard cluster.contains("cluster_state:ok"), cluster.contains("cluster_known_nodes:6") else { return false }
            if replication.contains("role:slave"), !replication.contains("master_link_status:up") { return false }
        }
        return true
    }
}
