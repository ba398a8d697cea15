internal import Basics
internal import Contracts

/// One connection that many callers use at once; whoever finds it closed opens the next, and the others wait for that.
///
/// An open loop needs no pool here: commands of many arrivals are on their way on one connection, and a stall delays none of
/// those that come after it.
actor SharedConnection {
    /// A connection, and the name of what is at its other end.
    struct Opened: Sendable {
        var connection: RedisConnection
        var node: Label
    }

    typealias Opening = @Sendable (Instant) async throws(RedisError) -> Opened

    private struct Waiter {
        var number: UInt64
        var continuation: CheckedContinuation<Bool, Never>
        var timer: EventLoop.Timer
    }

    /// After a failed attempt the next one waits so long, and callers until then share its failure.
    private static let pause = Span.milliseconds(10)

    private nonisolated let client: RedisClient
    private let time: any TimeSource
    private let opening: Opening
    private var current: Opened?
    private var failure: (error: RedisError, at: Instant)?
    private var isOpening = false
    /// A node that was left while a connection was being opened: one to it is of no use.
    private var left: Label?
    private var waiters: [Waiter] = []
    private var lastWaiter: UInt64 = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { client.loop.asUnownedSerialExecutor() }

    init(_ client: RedisClient, time: any TimeSource, _ opening: @escaping Opening) {
        self.client = client
        self.time = time
        self.opening = opening
    }

    /// Errors are of the phase `connect`: nothing of the caller's was sent.
    func opened(until deadline: Instant) async throws(RedisError) -> Opened {
        while true {
            if let current, await current.connection.isOpen { return current }
            if isOpening {
                if await opens(before: deadline) { continue }
                throw Self.late()
            }
            if let failure, time.now - failure.at < Self.pause {
                var error = failure.error
                // This caller has learned of it now.
                error.endedAt = time.now
                throw error
            }
            return try await open(until: deadline)
        }
    }

    private static func late() -> RedisError {
        RedisError(.timeout, phase: .connect, message: "no connection before the deadline")
    }

    private func open(until deadline: Instant) async throws(RedisError) -> Opened {
        isOpening = true
        left = nil
        defer {
            isOpening = false
            for waiter in waiters {
                client.loop.cancel(waiter.timer)
                waiter.continuation.resume(returning: true)
            }
            waiters = []
        }
        do throws(RedisError) {
            var opened = try await opening(deadline)
            while let left, opened.node == left, time.now < deadline {
                self.left = nil
                await opened.connection.close()
                opened = try await opening(deadline)
            }
            (current, failure) = (opened, nil)
            return opened
        } catch {
            // A deadline is the caller's own: the next one may have longer.
            if error.code != .timeout { failure = (error, time.now) }
            throw error
        }
    }

    /// Whether the attempt under way ended before the deadline, well or not.
    private func opens(before deadline: Instant) async -> Bool {
        await withCheckedContinuation { continuation in
            lastWaiter += 1
            let number = lastWaiter
            let timer = client.loop.schedule(at: deadline) { [weak self] in
                self?.assumeIsolated { $0.expire(number) }
            }
            waiters.append(Waiter(number: number, continuation: continuation, timer: timer))
        }
    }

    private func expire(_ number: UInt64) {
        guard let index = waiters.firstIndex(where: { $0.number == number }) else { return }
        waiters.remove(at: index).continuation.resume(returning: false)
    }

    /// The next caller opens a new connection; what is under way on this one goes on.
    func leave(_ connection: RedisConnection) async {
        if current?.connection === connection { current = nil }
        await connection.retire()
    }

    /// The same for whatever connection leads to that node, one that is being opened included.
    func leave(_ node: Label) async {
        left = node
        guard let opened = current, opened.node == node else { return }
        current = nil
        await opened.connection.retire()
    }

    func close() async {
        let closing = current
        current = nil
        await closing?.connection.close()
    }
}
