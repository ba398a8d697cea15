package import Basics
package import Contracts

/// Connections to one string for an open loop: opened as needed up to a limit, so that a stall delays no arrival.
package actor ConnectionPool {
    package enum Reuse: String, Sendable, Hashable {
        /// Connections stay open and are used again, the most recent first; surplus ones are closed after a while.
        case kept
        /// Every operation opens a connection of its own.
        case fresh
    }

    /// The right to one connection; give it back with `finish`.
    package enum Permit: Sendable {
        case connection(PostgresConnection)
        case mayOpen
    }

    private struct Idle {
        var connection: PostgresConnection
        var since: Instant
    }

    private struct Waiter {
        var number: UInt64
        var continuation: CheckedContinuation<Permit?, Never>
        var timer: EventLoop.Timer
    }

    /// So many stay open while nothing happens.
    private static let warm = 4
    private static let idleLimit = Span.seconds(10)

    private nonisolated let client: PostgresClient
    private let dsn: DSN
    private let secrets: SecretStore
    private let reuse: Reuse
    private let limit: Int
    /// Run once on each new connection.
    private let opening: String?
    private let time: any TimeSource
    private var idle: [Idle] = []
    private var waiters: [Waiter] = []
    private var lastWaiter: UInt64 = 0
    /// Permits given out and connections idle.
    private var inUse = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor { client.loop.asUnownedSerialExecutor() }

    package init(
        _ client: PostgresClient, _ dsn: DSN, _ secrets: SecretStore, reuse: Reuse, limit: Int,
        opening: String? = nil, time: any TimeSource
    ) {
        self.client = client
        self.dsn = dsn
        self.secrets = secrets
        self.reuse = reuse
        self.limit = max(1, limit)
        self.opening = opening
        self.time = time
    }

    /// How many connections exist or are being opened.
    package var size: Int { inUse + idle.count }

    /// A connection or the right to open one; nil when neither came free before the deadline.
    package func permit(until deadline: Instant) async -> Permit? {
        while let last = idle.popLast() {
            inUse += 1
            if await last.connection.isIdle { return .connection(last.connection) }
            inUse -= 1
        }
        if inUse < limit {
            inUse += 1
            return .mayOpen
        }
        return await withCheckedContinuation { continuation in
            lastWaiter += 1
            let number = lastWaiter
            let timer = client.loop.schedule(at: deadline) { [weak self] in
                self?.assumeIsolated { $0.expire(number) }
            }
            waiters.append(Waiter(number: number, continuation: continuation, timer: timer))
        }
    }

    /// Uses the permit: the connection it names, or a new one.
    package func redeem(_ permit: Permit, until deadline: Instant) async throws(PostgresError) -> PostgresConnection {
        if case .connection(let connection) = permit { return connection }
        let connection = try await client.connect(dsn, secrets, until: deadline, .ignored)
        guard let opening else { return connection }
        do throws(PostgresError) {
            _ = try await connection.query(opening, until: deadline, .ignored)
            return connection
        } catch {
            // What the caller has to say was not sent, whatever became of the opening statement.
            await connection.close()
            var failure = error
            failure.querySent = false
            throw failure
        }
    }

    /// Gives a permit back, with its connection when that may be used again.
    package func finish(_ connection: PostgresConnection?) async {
        var reusable: PostgresConnection?
        if let connection {
            if reuse == .kept, await connection.isIdle {
                reusable = connection
            } else {
                await connection.close()
            }
        }
        if !waiters.isEmpty {
            let waiter = waiters.removeFirst()
            client.loop.cancel(waiter.timer)
            waiter.continuation.resume(returning: reusable.map { .connection($0) } ?? .mayOpen)
            return
        }
        inUse -= 1
        if let reusable { idle.append(Idle(connection: reusable, since: time.now)) }
        await trim()
    }

    /// Closes what nobody needed for a while: a stall opens hundreds, the calm after it needs four.
    private func trim() async {
        while idle.count > Self.warm, let oldest = idle.first, time.now - oldest.since > Self.idleLimit {
            idle.removeFirst()
            await oldest.connection.close()
        }
    }

    private func expire(_ number: UInt64) {
        guard let index = waiters.firstIndex(where: { $0.number == number }) else { return }
        waiters.remove(at: index).continuation.resume(returning: nil)
    }

    /// Closes the idle connections; those in use close when they are given back only if they are fresh.
    package func close() async {
        let closing = idle
        idle = []
        for entry in closing { await entry.connection.close() }
    }
}
