internal import Basics
package import Contracts

/// What of ours stands in the Redis servers that journals and experiments name: keys that begin with our mark.
package struct RedisLeftovers: LeftoverScanner {
    package init() {}

    private static let patience = Span.seconds(5)
    /// Under these keys stand addresses of servers that hold data; Sentinels hold none.
    private static let places: Set<String> = ["url", "nodes", "direct", "cluster", "addresses"]

    package func scan(_ known: KnownSystems, in context: SystemContext) async -> [SystemScan] {
        var servers: [(url: RedisURL, secrets: SecretStore)] = []
        for place in known.places where place.kind.hasPrefix("redis.") && place.kind != SentinelsProbe.kind {
            for url in place.texts(under: Self.places).map({ RedisURL($0) })
            where url.problem == nil && !servers.contains(where: { $0.url == url }) {
                servers.append((url, place.secrets))
            }
        }
        // Side by side: among the servers of old runs many may be gone, and each of those costs its whole patience.
        return await withTaskGroup(of: (Int, SystemScan?).self) { group in
            for (number, server) in servers.enumerated() {
                var context = context
                context.secrets = server.secrets
                group.addTask { [context] in (number, await scan(server.url, context)) }
            }
            var scans: [(Int, SystemScan)] = []
            for await case (let number, let scan?) in group { scans.append((number, scan)) }
            return scans.sorted { $0.0 < $1.0 }.map { $0.1 }
        }
    }

    /// nil for what holds no keys: a Sentinel that an undo names as its target.
    private func scan(_ url: RedisURL, _ context: SystemContext) async -> SystemScan? {
        let system = "redis '\(url)'"
        do throws(FaultError) {
            let client = try context.services.require(RedisClient.self)
            let deadline = context.time.now + Self.patience
            let counts = try await client.session(
                url, in: context, until: deadline, "looking for keys on \(url) failed"
            ) {
                connection throws(RedisError) -> [String: Int]? in
                switch try await connection.call(["ROLE"], until: deadline).array?.first?.text {
                case "sentinel": return nil
                // What a replica holds is its primary's business.
                case "master": return try await Self.marks(connection, deadline)
                default: return [:]
                }
            }
            return counts.map { counts in
                SystemScan(system: system, marks: counts.sorted { $0.key < $1.key }.map { mark($0.key, $0.value, url) })
            }
        } catch {
            return SystemScan(system: system, failure: "\(error)")
        }
    }

    /// How many keys begin with each `squall:<run>:<probe>:`.
    private static func marks(
        _ connection: RedisConnection, _ deadline: Instant
    ) async throws(RedisError) -> [String: Int] {
        var counts: [String: Int] = [:]
        try await scanKeys(RunKeys.mark, connection, until: deadline) { names throws(RedisError) in
            for name in names {
                let parts = name.split(separator: ":", omittingEmptySubsequences: false).prefix(3)
                counts[parts.joined(separator: ":") + ":", default: 0] += 1
            }
        }
        return counts
    }

    private func mark(_ prefix: String, _ count: Int, _ url: RedisURL) -> SystemScan.Mark {
        let scan = "redis-cli -u '\(url)' --scan --pattern '\(prefix)*'"
        let leftover = Leftover(
            kind: ProbeKeys.kind, target: url.text, description: "\(count) keys \(prefix)*",
            commands: ["\(scan) | xargs redis-cli -u '\(url)' UNLINK"])
        return SystemScan.Mark(leftover, run: prefix.split(separator: ":").dropFirst().first.map(String.init))
    }
}
