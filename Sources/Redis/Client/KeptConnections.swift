package import Basics
package import Contracts

/// Connections to one server that are kept between calls; a new one is opened when all are in use or broken.
package actor KeptConnections {
    private nonisolated let client: RedisClient
    private let url: RedisURL
    private let secrets: SecretStore
    private var idle: [RedisConnection] = []

    package nonisolated var unownedExecutor: UnownedSerialExecutor { client.loop.asUnownedSerialExecutor() }

    package init(_ client: RedisClient, _ url: RedisURL, _ secrets: SecretStore) {
        self.client = client
        self.url = url
        self.secrets = secrets
    }

    /// Connects if it must, then runs the commands together; all within the deadline.
    package func call(
        pipeline commands: [[String]], until deadline: Instant, _ cancellation: Cancellation = .heeded
    ) async throws(RedisError) -> RedisConnection.Answers {
        var connection: RedisConnection?
        while connection == nil, let last = idle.popLast() { connection = await last.isOpen ? last : nil }
        let used: RedisConnection
        if let connection {
            used = connection
        } else {
            used = try await client.connect(url, secrets, until: deadline, cancellation)
        }
        let answers = try await used.call(pipeline: commands, until: deadline, cancellation)
        idle.append(used)
        return answers
    }

    package func close() async {
        for connection in idle { await connection.close() }
        idle = []
    }
}
