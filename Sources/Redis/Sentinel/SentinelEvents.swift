internal import Basics
internal import Contracts

/// What one Sentinel announces, as it announces it: a subscription that is made anew when it breaks.
struct SentinelEvents: Sendable {
    /// `+switch-master`, and what is said with it: `cache 10.0.0.1 6379 10.0.0.2 6379`.
    struct Event: Sendable {
        var channel: String
        var text: String
        var at: Instant
    }

    private static let attempt = Span.seconds(2)
    private static let pause = Span.milliseconds(250)
    /// A Sentinel that hangs says nothing, and neither does one that has nothing to say: it is asked in between.
    private static let silence = Span.seconds(2)

    private let sentinel: RedisURL
    private let client: RedisClient
    private let context: SystemContext

    init(_ sentinel: RedisURL, _ client: RedisClient, _ context: SystemContext) {
        self.sentinel = sentinel
        self.client = client
        self.context = context
    }

    /// Until the task is cancelled. Events of a time without connection are missed: `isLost` says why there was none.
    func run(
        _ patterns: [String], _ take: (Event) async -> Void, isLost: (RedisError) -> Void
    ) async {
        while !Task.isCancelled {
            do throws(RedisError) {
                try await listen(patterns, take)
            } catch {
                if Task.isCancelled { return }
                isLost(error)
            }
            do throws(CancellationError) {
                try await context.time.sleep(for: Self.pause)
            } catch {
                return
            }
        }
    }

    private func listen(_ patterns: [String], _ take: (Event) async -> Void) async throws(RedisError) {
        let connection = try await client.connect(
            sentinel, context.secrets, until: context.time.now + Self.attempt)
        let (events, source) = AsyncStream.makeStream(of: Event.self)
        await connection.receive { parts, instant in
            // [pmessage, pattern, channel, text]
            guard parts.count == 4, let channel = parts[2].text, let text = parts[3].text else { return }
            source.yield(Event(channel: channel, text: text, at: instant))
        }
        var failure: RedisError?
        do throws(RedisError) {
            for pattern in patterns {
                _ = try await connection.call(["PSUBSCRIBE", pattern], until: context.time.now + Self.attempt)
            }
        } catch {
            failure = error
        }
        if failure == nil { failure = await relay(events, source, connection, take) }
        await connection.close()
        if let failure { throw failure }
    }

    /// Hands events on until the connection breaks; a PING in between notices one that hangs.
    private func relay(
        _ events: AsyncStream<Event>, _ source: AsyncStream<Event>.Continuation, _ connection: RedisConnection,
        _ take: (Event) async -> Void
    ) async -> RedisError? {
        await withTaskGroup(of: RedisError?.self) { group in
            group.addTask {
                let failure = await beat(connection)
                source.finish()
                return failure
            }
            for await event in events { await take(event) }
            group.cancelAll()
            return await group.next() ?? nil
        }
    }

    private func beat(_ connection: RedisConnection) async -> RedisError? {
        while true {
            do throws(RedisError) {
                _ = try await connection.call(["PING"], until: context.time.now + Self.silence)
            } catch {
                return error
            }
            do throws(CancellationError) {
                try await context.time.sleep(for: Self.silence)
            } catch {
                return nil
            }
        }
    }
}
