package import Basics

/// One connection to one server, driven without blocking on the client's event loop.
///
/// Calls may overlap: their commands leave at once, and the answers come in the same order. A call is one command or several
/// that leave together, with an absolute deadline. One that passes it is given up, and its answers are dropped when they come;
/// the connection takes no new calls then, and is closed when nobody waits for an answer any more.
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

    /// Called with what a server sends unasked, `[pmessage, pattern, channel, text]`, on the connection's loop.
    package typealias MessageHandler = @Sendable ([RedisValue], Instant) -> Void

    /// A call in progress.
    private struct Work {
        var number: UInt64
        var phase: RedisError.Phase
        var expected: Int
        /// nil: given up, but its answers are still to come.
        var continuation: CheckedContinuation<Outcome, Never>?
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
    /// In the order in which they were sent, with ascending numbers.
    private var works = FirstInFirstOut<Work>()
    private var lastWork: UInt64 = 0
    /// How many in `works` somebody waits for.
    private var waiting = 0
    private var isRetired = false
    private var messageHandler: MessageHandler?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(subject: String, loop: EventLoop, time: any TimeSource) {
        self.subject = subject
        self.loop = loop
        self.time = time
    }

    /// `subject` without its port.
    nonisolated var host: String { String(subject[..<(subject.lastIndex(of: ":") ?? subject.endIndex)]) }

    /// Open, takes calls, and not known to be broken. An end of file on an idle connection is noticed at once.
    package var isOpen: Bool { socket?.isReady ?? false && !isRetired }

    /// Takes no more calls; closes when those under way are over.
    package func retire() {
        isRetired = true
        if waiting == 0 { drop() }
    }

    /// From now on messages of a subscription are handed over; without this they would break the connection.
    package func receive(messages handler: @escaping MessageHandler) { messageHandler = handler }

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
        guard socket != nil, !isRetired else {
            throw RedisError(.lost, phase: request.phase, message: "the connection is closed", subject: subject)
        }
        lastWork += 1
        let number = lastWork
        let outcome: Outcome
        switch cancellation {
        case .ignored: outcome = await suspend(number, request, until: deadline)
        case .heeded:
            outcome = await withTaskCancellationHandler {
                // The handler may have run by now, and found nothing to interrupt.
                if Task.isCancelled { return cancelled(request) }
                return await suspend(number, request, until: deadline)
            } onCancel: {
                loop.schedule(at: Instant(nanoseconds: 0)) { [weak self] in
                    self?.assumeIsolated { $0.interrupt(number, .cancelled) }
                }
            }
        }
        return try outcome.get()
    }

    /// Nothing was sent.
    private func cancelled(_ request: Request) -> Outcome {
        var error = failure(.cancelled, "cancelled", request.phase)
        error.commandSent = false
        if case .connect = request { drop() }
        return .failure(error)
    }

    private func suspend(_ number: UInt64, _ request: Request, until deadline: Instant) async -> Outcome {
        await withCheckedContinuation { continuation in
            let timer = loop.schedule(at: deadline) { [weak self] in
                self?.assumeIsolated { $0.interrupt(number, .timeout) }
            }
            works.append(
                Work(
                    number: number, phase: request.phase, expected: request.expected, continuation: continuation,
                    timer: timer))
            waiting += 1
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
            if works.first?.phase == .connect, socket.isReady { finishFirst([]) }
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
        if let messageHandler, let parts = value.array, parts.first?.text?.hasSuffix("message") == true {
            return messageHandler(parts, time.now)
        }
        guard var current = works.first, current.phase == .command else {
            // Nobody has asked: what comes next could be anything.
            return fail(.lost, "the server sent an answer that nobody asked for")
        }
        guard current.answers.count + 1 < current.expected else { return finishFirst(current.answers + [value]) }
        current.answers.append(value)
        works[0] = current
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
        }
    }

    // MARK: Ends

    /// The deadline passed or the task was cancelled.
    private func interrupt(_ number: UInt64, _ code: RedisError.Code) {
        guard let index = place(of: number), let work = works[index], let continuation = work.continuation else {
            return
        }
        works[index]?.continuation = nil
        isRetired = true
        end(work, continuation, .failure(failure(code, reason(code, work.phase), work.phase)))
        if waiting == 0 { drop() }
    }

    /// Where a call stands: numbers ascend, and some have never been sent.
    private func place(of number: UInt64) -> Int? {
        guard let first = works.first, number >= first.number else { return nil }
        var index = min(Int(number - first.number), works.count - 1)
        while index >= 0, let work = works[index], work.number > number { index -= 1 }
        return index >= 0 && works[index]?.number == number ? index : nil
    }

    private func reason(_ code: RedisError.Code, _ phase: RedisError.Phase) -> String {
        guard code == .timeout else { return "cancelled" }
        switch phase {
        case .command: return "no answer before the deadline"
        case .connect where socket?.isConnected == true:
            return "no TLS handshake before the deadline: does the server speak TLS?"
        case .connect: return "no connection before the deadline"
        }
    }

    private func failure(_ code: RedisError.Code, _ message: String, _ phase: RedisError.Phase) -> RedisError {
        var error = RedisError(
            code, phase: phase, commandSent: phase == .command, message: message, subject: subject)
        error.endedAt = time.now
        return error
    }

    /// The connection is of no use any more: closes it and ends everything under way.
    private func fail(_ code: RedisError.Code, _ message: String) {
        let ending = works
        works = FirstInFirstOut()
        drop()
        for index in 0..<ending.count {
            guard let work = ending[index], let continuation = work.continuation else { continue }
            end(work, continuation, .failure(failure(code, message, work.phase)))
        }
    }

    private func finishFirst(_ answers: [RedisValue]) {
        guard let work = works.removeFirst() else { return }
        if let continuation = work.continuation {
            end(work, continuation, .success(Answers(values: answers, endedAt: time.now)))
        }
        if isRetired, waiting == 0 { drop() }
    }

    private func end(_ work: Work, _ continuation: CheckedContinuation<Outcome, Never>, _ outcome: Outcome) {
        loop.cancel(work.timer)
        waiting -= 1
        continuation.resume(returning: outcome)
    }

    /// Closes at once; what is under way fails. Closing twice is no error.
    package func close() {
        fail(.lost, "closed by this program")
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
        }
    }
}
