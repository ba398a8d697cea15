package import Basics
internal import CPostgres
internal import Glibc

/// One connection to one server, driven without blocking on the client's event loop.
///
/// One statement at a time. Every call has an absolute deadline; a statement that passes it closes the connection,
/// because what the server still does with it cannot be told apart from the next statement's answer.
///
/// All reading, writing and timing is done by handlers on the loop's thread; a caller is woken once, when its call is
/// over. A continuation resumes by way of the cooperative pool, so waking the caller for each packet would make every
/// answer wait for that pool, and its end would be stamped late.
package actor PostgresConnection {
    private typealias Outcome = Result<QueryResult, PostgresError>

    /// What a call asks for.
    private enum Request: Sendable {
        case connect
        case query(String, [String?])
        case script(String)

        var phase: PostgresError.Phase {
            switch self {
            case .connect: .connect
            case .query, .script: .statement
            }
        }
    }

    /// The call in progress.
    private struct Work {
        var number: UInt64
        var phase: PostgresError.Phase
        var continuation: CheckedContinuation<Outcome, Never>
        var timer: EventLoop.Timer
        /// Statement: bytes of it may still be in libpq's buffer.
        var isSending = false
        /// The socket is watched for room too.
        var isWatchingRoom = false
        var last = QueryResult()
        var failure: PostgresError?
    }

    /// Where it leads, for messages: `127.0.0.1:5432`.
    package nonisolated let subject: String
    private nonisolated let loop: EventLoop
    private nonisolated let cancels: CancelSender
    private let time: any TimeSource
    private var handle: SessionHandle?
    private var watched: CInt?
    private var work: Work?
    private var lastWork: UInt64 = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(subject: String, loop: EventLoop, cancels: CancelSender, time: any TimeSource) {
        self.subject = subject
        self.loop = loop
        self.cancels = cancels
        self.time = time
    }

    /// Open, and not known to be broken. An end of file on an idle connection is noticed at once.
    package var isOpen: Bool { handle != nil }

    /// Nothing is running on it.
    package var isIdle: Bool { handle != nil && work == nil }

    // MARK: Calls

    func open(
        _ parameters: [String: String], until deadline: Instant, _ cancellation: Cancellation
    ) async throws(PostgresError) {
        guard let handle = SessionHandle(starting: parameters) else {
            throw PostgresError(.unreachable, phase: .connect, message: "out of memory", subject: subject)
        }
        self.handle = handle
        _ = try await call(.connect, until: deadline, cancellation)
    }

    /// Runs one statement with text parameters (`$1`, …) and waits for its commit, not only for its result.
    ///
    /// In the extended protocol the server reports the command as complete before it commits; an error, a warning or a
    /// crash in the commit comes after. Only the server's readiness for the next statement acknowledges a write.
    package func query(
        _ sql: String, _ parameters: [String?] = [], until deadline: Instant, _ cancellation: Cancellation = .heeded
    ) async throws(PostgresError) -> QueryResult {
        try await call(.query(sql, parameters), until: deadline, cancellation)
    }

    /// Runs several statements as one transaction; returns the last result.
    package func execute(
        script: String, until deadline: Instant, _ cancellation: Cancellation = .heeded
    ) async throws(PostgresError) -> QueryResult {
        try await call(.script(script), until: deadline, cancellation)
    }

    /// Begins a call and suspends until a handler ends it.
    private func call(
        _ request: Request, until deadline: Instant, _ cancellation: Cancellation
    ) async throws(PostgresError) -> QueryResult {
        guard handle != nil else {
            throw PostgresError(.lost, phase: request.phase, message: "the connection is closed", subject: subject)
        }
        guard work == nil else {
            throw PostgresError(
                .unusable, phase: request.phase, message: "another statement runs on this connection",
                subject: subject)
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
            work = Work(number: number, phase: request.phase, continuation: continuation, timer: timer)
            begin(request)
        }
    }

    private func begin(_ request: Request) {
        guard let handle else { return fail(.lost, "the connection is closed") }
        handle.notices.all = []
        let isSent: Bool
        switch request {
        case .connect:
            // Before the first poll libpq asks for a wait on writing, whatever its socket is.
            return connect(handle, handle.isBad ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING)
        case .query(let sql, let parameters): isSent = handle.send(sql, parameters)
        case .script(let script): isSent = handle.send(script: script)
        }
        // When sending fails part of it may have left all the same: after the first byte nothing is proven.
        guard isSent else { return fail(.lost, firstLine(handle.message)) }
        work?.isSending = true
        advance(handle)
    }

    // MARK: Handlers

    /// Connecting: waits as libpq's last poll asked, or ends the call.
    private func connect(_ handle: SessionHandle, _ next: PostgresPollingStatusType) {
        switch next {
        case PGRES_POLLING_READING, PGRES_POLLING_WRITING:
            watch(next == PGRES_POLLING_READING ? .readable : .writable)
        case PGRES_POLLING_OK where handle.makeNonBlocking():
            // From here on the socket stays watched: answers move the statement on, an end of file closes an idle one.
            watch(.readable)
            handle.notices.all = []
            finish(.success(QueryResult()))
        default:
            let error = connectError(handle.message, subject: subject)
            drop()
            finish(.failure(error))
        }
    }

    private func becameReady() {
        guard let handle else { return }
        guard let work else {
            if !handle.consumeInput() { drop() }
            return
        }
        switch work.phase {
        case .connect:
            // libpq may close its socket and open another inside the poll: nothing may stay watched meanwhile.
            unwatch()
            connect(handle, handle.poll())
        case .statement:
            if handle.consumeInput() { advance(handle) } else { collect(handle, isBroken: true) }
        }
    }

    /// Sends what is left, then takes the answers that are complete.
    private func advance(_ handle: SessionHandle) {
        if work?.isSending == true {
            switch handle.flush() {
            case 1:
                // libpq's rule: while sending, read too, or both sides may wait for each other.
                if work?.isWatchingRoom == false { watch([.readable, .writable]) }
                work?.isWatchingRoom = true
                return
            case 0:
                work?.isSending = false
                if work?.isWatchingRoom == true { watch(.readable) }
            default:
                return collect(handle, isBroken: true)
            }
        }
        collect(handle, isBroken: false)
    }

    /// Takes answers until the server is ready again, must be waited for, or is gone; any failure on the way makes the
    /// whole a failure.
    private func collect(_ handle: SessionHandle, isBroken: Bool) {
        var isBroken = isBroken
        while isBroken || !handle.isBusy {
            guard let answer = handle.nextAnswer() else {
                return conclude(handle, isBroken: isBroken || handle.isBad)
            }
            switch answer {
            case .result(let result): work?.last = result
            case .failure(let sqlState, let severity, let message):
                if work?.failure == nil { work?.failure = statementError(sqlState, severity, message) }
                // A COPY has no end that we could wait for.
                if sqlState == "0A000" && severity == "FATAL" { isBroken = true }
            }
            if isBroken && work?.failure != nil { return conclude(handle, isBroken: true) }
        }
    }

    private func conclude(_ handle: SessionHandle, isBroken: Bool) {
        guard var result = work?.last else { return }
        result.notices = handle.notices.all
        let failure =
            work?.failure ?? (isBroken ? statementError("", "", "the server closed the connection") : nil)
        if isBroken { drop() }
        finish(failure.map { .failure($0) } ?? .success(result))
    }

    private func statementError(_ sqlState: String, _ severity: String, _ message: String) -> PostgresError {
        PostgresError(
            sqlState.isEmpty ? .lost : .server, phase: .statement, querySent: true, sqlState: sqlState,
            severity: severity, message: message, subject: subject)
    }

    /// The deadline passed or the task was cancelled: closes, and asks the server to give up what it is doing.
    private func interrupt(_ number: UInt64, _ code: PostgresError.Code) {
        guard let work, work.number == number else { return }
        if work.phase == .statement, let token = handle?.cancelToken() { cancels.send(token) }
        let missing = work.phase == .connect ? "no connection" : "no answer"
        fail(code, code == .cancelled ? "cancelled" : "\(missing) before the deadline")
    }

    private func fail(_ code: PostgresError.Code, _ message: String) {
        guard let work else { return }
        drop()
        finish(
            .failure(
                PostgresError(
                    code, phase: work.phase, querySent: work.phase == .statement, message: message, subject: subject)))
    }

    /// Ends the call in progress and stamps its end here, before anything can delay it.
    private func finish(_ outcome: Outcome) {
        guard let ending = work else { return }
        work = nil
        loop.cancel(ending.timer)
        let now = time.now
        ending.continuation.resume(
            returning: outcome.map { result in
                var stamped = result
                stamped.endedAt = now
                return stamped
            }.mapError { error in
                var stamped = error
                stamped.endedAt = now
                return stamped
            })
    }

    // MARK: Closing

    /// Closes at once; a statement in progress fails. Closing twice is no error.
    package func close() {
        fail(.lost, "closed by this program")
        drop()
    }

    private func drop() {
        unwatch()
        handle = nil
    }

    // MARK: Watching

    private func watch(_ readiness: EventLoop.Readiness) {
        guard let socket = handle?.socket, socket >= 0 else { return fail(.lost, "the connection has no socket") }
        do throws(SystemError) {
            try loop.watch(socket, for: readiness) { [weak self] _ in self?.assumeIsolated { $0.becameReady() } }
            watched = socket
        } catch {
            fail(.lost, "\(error)")
            drop()
        }
    }

    private func unwatch() {
        if let watched { loop.unwatch(watched) }
        watched = nil
    }
}

private func firstLine(_ text: String) -> String { String(text.prefix { $0 != "\n" }) }

/// Classifies libpq's message of a failed attempt.
///
/// libpq offers no SQLSTATE for a failed start-up except inside its verbose message, after the severity: `FATAL:  57P03: `.
/// Whether a port refused is compared with the C library's own text for ECONNREFUSED; it decides a label, not an outcome.
func connectError(_ message: String, subject: String) -> PostgresError {
    let line = firstLine(message)
    if let state = startupState(line) {
        return PostgresError(
            .server, phase: .connect, sqlState: state.code, severity: state.severity, message: state.message,
            subject: subject)
    }
    let refused = strerror(ECONNREFUSED).map { message.contains(String(cString: $0)) } ?? false
    return PostgresError(refused ? .refused : .unreachable, phase: .connect, message: line, subject: subject)
}

private func startupState(_ line: String) -> (severity: String, code: String, message: String)? {
    let parts = line.split(separator: ":  ", maxSplits: 1)
    guard parts.count == 2, parts[1].dropFirst(5).hasPrefix(": "),
        parts[1].prefix(5).allSatisfy({ $0.isASCII && ($0.isNumber || $0.isUppercase) })
    else { return nil }
    let severity = parts[0].split(separator: " ").last ?? ""
    return (String(severity), String(parts[1].prefix(5)), String(parts[1].dropFirst(7)))
}
