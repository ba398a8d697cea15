package import Basics

/// One connection to one server, driven without blocking on the client's event loop.
///
/// One call at a time; a call is one command or several that leave together. Every call has an absolute deadline; one that
/// passes it closes the connection, because a late answer could not be told apart from the next call's.
///
/// All reading, writing and timing is done by handlers on the loop's thread; a caller is woken once, when its call is over,
/// with the instant at which the last answer was there.
package actor RedisConnection {
    /// What a call gives: as many answers as commands.
    package struct Answers: Sendable {
        package var values: [RedisValue]
        package var endedAt: Instant
    }

    private typealias Outcome = Result<Answers, RedisError>

    /// The call in progress.
    private struct Work {
        var number: UInt64
        var phase: RedisError.Phase
        var expected: Int
        var continuation: CheckedContinuation<Outcome, Never>
        var timer: EventLoop.Timer
        var answers: [RedisValue] = []
    }

    /// Where it leads, for messages: `127.0.0.1:6379`.
    package nonisolated let subject: String
    private nonisolated let loop: EventLoop
    private let time: any TimeSource
    private var socket: RedisSocket?
    private var reader: RedisReader?
    private var isWatchingRoom = false
    private var work: Work?
    private var lastWork: UInt64 = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(subject: String, loop: EventLoop, time: any TimeSource) {
        self.subject = subject
        self.loop = loop
        self.time = time
    }

    /// Open, and not known to be broken. An end of file on an idle connection is noticed at once.
    package var isOpen: Bool { socket?.isReady ?? false }

    // MARK: Calls

    /// Connects, agrees on TLS, and says who we are; what the server objects to is an error of the phase `connect`.
    func open(
        _ address: String, _ endpoint: RedisEndpoint, until deadline: Instant, _ cancellation: Cancellation
    ) async throws(RedisError) {
        do throws(RedisSocket.Failure) {
            socket = try RedisSocket(address, endpoint)
        } catch {
            throw RedisError(error.code, phase: .connect, message: error.message, subject: subject)
        }
        reader = RedisReader()
        _ = try await call(.connect, until: deadline, cancellation)
        do throws(RedisError) {
            for command in Self.greeting(endpoint) { _ = try await call(command, until: deadline, cancellation) }
        } catch {
            close()
            var failure = error
            // The caller's own command was not sent, whatever became of the greeting.
            (failure.phase, failure.commandSent) = (.connect, false)
            throw failure
        }
    }

    private static func greeting(_ endpoint: RedisEndpoint) -> [[String]] {
        var commands: [[String]] = []
        if let password = endpoint.password {
            commands.append(["AUTH"] + (endpoint.user.map { [$0] } ?? []) + [password])
        }
        if endpoint.database > 0 { commands.append(["SELECT", "\(endpoint.database)"]) }
        return commands
    }

    /// Runs one command; an error that the server answers with is thrown.
    package func call(
        _ command: [String], until deadline: Instant, _ cancellation: Cancellation = .heeded
    ) async throws(RedisError) -> RedisValue {
        let answers = try await call(pipeline: [command], until: deadline, cancellation)
        guard let value = answers.values.first else {
            throw RedisError(.lost, phase: .command, commandSent: true, message: "no answer", subject: subject)
        }
        if case .error(let text) = value {
            var error = RedisError(answer: text, phase: .command, subject: subject)
            error.endedAt = answers.endedAt
            throw error
        }
        return value
    }

    /// Sends commands together and waits for all their answers, errors among them as values.
    package func call(
        pipeline commands: [[String]], until deadline: Instant, _ cancellation: Cancellation = .heeded
    ) async throws(RedisError) -> Answers {
        var bytes: [UInt8] = []
        for command in commands {
            guard let encoded = redisCommand(command) else {
                throw RedisError(.unusable, phase: .command, message: "out of memory", subject: subject)
            }
            bytes += encoded
        }
        return try await call(.commands(bytes, count: commands.count), until: deadline, cancellation)
    }

    /// What a call asks for.
    private enum Request: Sendable {
        case connect
        case commands([UInt8], count: Int)

        var phase: RedisError.Phase {
            switch self {
            case .connect: .connect
            case .commands: .command
            }
        }

        var expected: Int {
            switch self {
            case .connect: 0
            case .commands(_, let count): count
            }
        }
    }

    /// Begins a call and suspends until a handler ends it.
    private func call(
        _ request: Request, until deadline: Instant, _ cancellation: Cancellation
    ) async throws(RedisError) -> Answers {
        guard socket != nil else {
            throw RedisError(.lost, phase: request.phase, message: "the connection is closed", subject: subject)
        }
        guard work == nil else {
            throw RedisError(
                .unusable, phase: request.phase, message: "another command runs on this connection", subject: subject)
        }
        lastWork += 1
        let number = lastWork
        let outcome: Outcome
        switch cancellation {
        case .ignored: outcome = await suspend(number, request, until: deadline)
        case .heeded:
            outcome = await withTaskCancellationHandler {
                await suspend(number, request, until: deadline)
            } onCancel: {
                loop.schedule(at: Instant(nanoseconds: 0)) { [weak self] in
                    self?.assumeIsolated { $0.interrupt(number, .cancelled) }
                }
            }
        }
        return try outcome.get()
    }

    private func suspend(_ number: UInt64, _ request: Request, until deadline: Instant) async -> Outcome {
        await withCheckedContinuation { continuation in
            let timer = loop.schedule(at: deadline) { [weak self] in
                self?.assumeIsolated { $0.interrupt(number, .timeout) }
            }
            work = Work(
                number: number, phase: request.phase, expected: request.expected, continuation: continuation,
                timer: timer)
            begin(request)
        }
    }

    private func begin(_ request: Request) {
        guard let socket else { return fail(.lost, "the connection is closed") }
        switch request {
        // A socket that connects becomes writable, or fails.
        case .connect: watch([.readable, .writable])
        case .commands(let bytes, _):
            attempt { () throws(RedisSocket.Failure) in
                try socket.put(bytes)
                try flush(socket)
            }
        }
    }

    // MARK: Handlers

    private func becameReady(_ readiness: EventLoop.Readiness) {
        guard let socket else { return }
        attempt { () throws(RedisSocket.Failure) in
            if !readiness.isDisjoint(with: [.writable, .failed]) { try socket.proceed() }
            if !readiness.isDisjoint(with: [.readable, .failed]) { try receive(socket) }
            try flush(socket)
            if work?.phase == .connect, socket.isReady { finish(.success(Answers(values: [], endedAt: time.now))) }
        }
    }

    private func receive(_ socket: RedisSocket) throws(RedisSocket.Failure) {
        guard let reader else { return }
        try socket.receive { bytes throws(RedisSocket.Failure) in
            do throws(RedisReader.Malformed) {
                try reader.feed(bytes)
                while let value = try reader.next() { take(value) }
            } catch {
                throw RedisSocket.Failure(code: .lost, message: error.message)
            }
        }
    }

    private func take(_ value: RedisValue) {
        guard var current = work, current.phase == .command else {
            // Nobody has asked: what comes next could be anything.
            return drop()
        }
        current.answers.append(value)
        work = current
        guard current.answers.count == current.expected else { return }
        finish(.success(Answers(values: current.answers, endedAt: time.now)))
    }

    private func flush(_ socket: RedisSocket) throws(RedisSocket.Failure) {
        let isBlocked = try socket.flush() == .blocked
        // Until it is connected, room is the sign that it is.
        guard socket.isConnected, isBlocked != isWatchingRoom else { return }
        watch(isBlocked ? [.readable, .writable] : .readable)
    }

    private func attempt(_ body: () throws(RedisSocket.Failure) -> Void) {
        do throws(RedisSocket.Failure) {
            try body()
        } catch {
            fail(error.code, error.message)
            drop()
        }
    }

    // MARK: Ends

    /// The deadline passed or the task was cancelled.
    private func interrupt(_ number: UInt64, _ code: RedisError.Code) {
        guard let work, work.number == number else { return }
        guard code == .timeout else { return fail(code, "cancelled") }
        switch work.phase {
        case .command: fail(code, "no answer before the deadline")
        case .connect where socket?.isConnected == true:
            fail(code, "no TLS handshake before the deadline: does the server speak TLS?")
        case .connect: fail(code, "no connection before the deadline")
        }
    }

    private func fail(_ code: RedisError.Code, _ message: String) {
        guard let work else { return }
        drop()
        var error = RedisError(
            code, phase: work.phase, commandSent: work.phase == .command, message: message, subject: subject)
        error.endedAt = time.now
        finish(.failure(error))
    }

    private func finish(_ outcome: Outcome) {
        guard let ending = work else { return }
        work = nil
        loop.cancel(ending.timer)
        ending.continuation.resume(returning: outcome)
    }

    /// Closes at once; a command in progress fails. Closing twice is no error.
    package func close() {
        fail(.lost, "closed by this program")
        drop()
    }

    private func drop() {
        if let socket { loop.unwatch(socket.number) }
        (socket, reader, isWatchingRoom) = (nil, nil, false)
    }

    private func watch(_ readiness: EventLoop.Readiness) {
        guard let socket else { return }
        do throws(SystemError) {
            try loop.watch(socket.number, for: readiness) { [weak self] ready in
                self?.assumeIsolated { $0.becameReady(ready) }
            }
            isWatchingRoom = readiness.contains(.writable)
        } catch {
            fail(.lost, "\(error)")
            drop()
        }
    }
}
