package import Basics
internal import CPostgres
internal import Glibc

/// One connection to one server, driven without blocking on the client's event loop.
///
/// One statement at a time. Every call has an absolute deadline; a statement that passes it closes the connection,
/// because what the server still does with it cannot be told apart from the next statement's answer.
package actor PostgresConnection {
    /// Whether a call ends early when its task is cancelled. A ledger's write must be judged by its answer or its
    /// timeout even while the run is being stopped.
    package enum Cancellation: Sendable, Hashable {
        case heeded
        case ignored
    }

    private enum Wakeup: Sendable {
        case ready
        case expired
        case cancelled
    }

    private struct Waiter {
        var number: UInt64
        var continuation: CheckedContinuation<Wakeup, Never>
        var timer: EventLoop.Timer
    }

    /// Where it leads, for messages: `127.0.0.1:5432`.
    package nonisolated let subject: String
    private nonisolated let loop: EventLoop
    private nonisolated let cancels: CancelSender
    private var handle: SessionHandle?
    private var watched: CInt?
    private var waiter: Waiter?
    private var lastWait: UInt64 = 0
    private var isWorking = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(subject: String, loop: EventLoop, cancels: CancelSender) {
        self.subject = subject
        self.loop = loop
        self.cancels = cancels
    }

    /// Open, and not known to be broken. An end of file on an idle connection is noticed at once.
    package var isOpen: Bool { handle != nil }

    /// Nothing is running on it.
    package var isIdle: Bool { handle != nil && !isWorking }

    // MARK: Connecting

    func open(
        _ parameters: [String: String], until deadline: Instant, _ cancellation: Cancellation
    ) async throws(PostgresError) {
        guard let handle = SessionHandle(starting: parameters) else {
            throw PostgresError(.unreachable, phase: .connect, message: "out of memory", subject: subject)
        }
        self.handle = handle
        isWorking = true
        defer { isWorking = false }
        // Before the first poll libpq asks for a wait on writing, whatever its socket is.
        var next = handle.isBad ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING {
            do throws(SystemError) {
                try watch(next == PGRES_POLLING_READING ? .readable : .writable)
            } catch {
                close()
                throw PostgresError(.unreachable, phase: .connect, message: "\(error)", subject: subject)
            }
            let wakeup = await wait(until: deadline, cancellation)
            // libpq may close its socket and open another inside the poll: nothing may stay watched meanwhile.
            unwatch()
            guard wakeup == .ready else {
                close()
                throw interruption(wakeup, .connect, querySent: false, "no connection")
            }
            guard self.handle != nil else { throw closedWhileWorking(.connect) }
            next = handle.poll()
        }
        guard next == PGRES_POLLING_OK, handle.makeNonBlocking() else {
            let error = connectError(handle.message, subject: subject)
            close()
            throw error
        }
        handle.notices.all = []
        await keepWatching()
    }

    /// From here on the socket stays watched: answers wake the waiting statement, an end of file closes an idle one.
    private func keepWatching() async {
        do {
            try watch(.readable)
        } catch {
            close()
        }
    }

    // MARK: Statements

    /// Runs one statement with text parameters (`$1`, …) and waits for its commit, not only for its result.
    ///
    /// In the extended protocol the server reports the command as complete before it commits; an error, a warning or a
    /// crash in the commit comes after. Only the server's readiness for the next statement acknowledges a write.
    package func query(
        _ sql: String, _ parameters: [String?] = [], until deadline: Instant, _ cancellation: Cancellation = .heeded
    ) async throws(PostgresError) -> QueryResult {
        try await perform(until: deadline, cancellation) { $0.send(sql, parameters) }
    }

    /// Runs several statements as one transaction; returns the last result.
    package func execute(
        script: String, until deadline: Instant, _ cancellation: Cancellation = .heeded
    ) async throws(PostgresError) -> QueryResult {
        try await perform(until: deadline, cancellation) { $0.send(script: script) }
    }

    private func perform(
        until deadline: Instant, _ cancellation: Cancellation, _ send: (SessionHandle) -> Bool
    ) async throws(PostgresError) -> QueryResult {
        guard let handle else {
            throw PostgresError(.lost, phase: .statement, message: "the connection is closed", subject: subject)
        }
        guard !isWorking else {
            throw PostgresError(
                .unusable, phase: .statement, message: "another statement runs on this connection", subject: subject)
        }
        isWorking = true
        defer { isWorking = false }
        handle.notices.all = []
        guard send(handle) else {
            // Part of it may have left: after the first byte nothing is proven.
            let error = PostgresError(
                .lost, phase: .statement, querySent: true, message: firstLine(handle.message), subject: subject)
            close()
            throw error
        }
        try await flush(handle, until: deadline, cancellation)
        var result = try await answers(handle, until: deadline, cancellation)
        result.notices = handle.notices.all
        return result
    }

    private func flush(
        _ handle: SessionHandle, until deadline: Instant, _ cancellation: Cancellation
    ) async throws(PostgresError) {
        var widened = false
        while handle.flush() == 1 {
            do throws(SystemError) {
                // libpq's rule: while sending, read too, or both sides may wait for each other.
                if !widened { try watch([.readable, .writable]) }
                widened = true
            } catch {
                close()
                throw PostgresError(
                    .lost, phase: .statement, querySent: true, message: "\(error)", subject: subject)
            }
            try await waitForServer(until: deadline, cancellation)
            guard handle.consumeInput() else { break }
        }
        if widened { await keepWatching() }
    }

    /// Collects results until the server is ready again; any failure on the way makes the whole a failure.
    private func answers(
        _ handle: SessionHandle, until deadline: Instant, _ cancellation: Cancellation
    ) async throws(PostgresError) -> QueryResult {
        var last = QueryResult()
        var failure: PostgresError?
        var isBroken = false
        while true {
            while !isBroken && handle.isBusy {
                try await waitForServer(until: deadline, cancellation)
                isBroken = !handle.consumeInput()
            }
            guard let answer = handle.nextAnswer() else { break }
            switch answer {
            case .result(let result): last = result
            case .failure(let sqlState, let severity, let message):
                failure = failure ?? statementError(sqlState, severity, message)
                if sqlState == "0A000" && severity == "FATAL" { isBroken = true }
            }
            if isBroken && failure != nil { break }
        }
        if isBroken || handle.isBad { close() }
        if let failure { throw failure }
        guard !isBroken else { throw statementError("", "", "the server closed the connection") }
        return last
    }

    private func statementError(_ sqlState: String, _ severity: String, _ message: String) -> PostgresError {
        PostgresError(
            sqlState.isEmpty ? .lost : .server, phase: .statement, querySent: true, sqlState: sqlState,
            severity: severity, message: message, subject: subject)
    }

    private func waitForServer(until deadline: Instant, _ cancellation: Cancellation) async throws(PostgresError) {
        let wakeup = await wait(until: deadline, cancellation)
        guard handle != nil else { throw closedWhileWorking(.statement) }
        guard wakeup == .ready else {
            abandon()
            throw interruption(wakeup, .statement, querySent: true, "no answer")
        }
    }

    // MARK: Closing

    /// Closes at once; a statement in progress fails. Closing twice is no error.
    package func close() {
        unwatch()
        handle = nil
        if let waiter { wake(waiter.number, .ready) }
    }

    /// Closes, and asks the server to give up what it is doing.
    private func abandon() {
        if let token = handle?.cancelToken() { cancels.send(token) }
        close()
    }

    private func closedWhileWorking(_ phase: PostgresError.Phase) -> PostgresError {
        PostgresError(
            .lost, phase: phase, querySent: phase == .statement, message: "closed by this program", subject: subject)
    }

    private func interruption(
        _ wakeup: Wakeup, _ phase: PostgresError.Phase, querySent: Bool, _ what: String
    ) -> PostgresError {
        let isCancelled = wakeup == .cancelled
        return PostgresError(
            isCancelled ? .cancelled : .timeout, phase: phase, querySent: querySent,
            message: isCancelled ? "cancelled" : "\(what) before the deadline", subject: subject)
    }

    // MARK: Waiting

    private func watch(_ readiness: EventLoop.Readiness) throws(SystemError) {
        guard let socket = handle?.socket, socket >= 0 else { throw SystemError("socket", errno: EBADF) }
        try loop.watch(socket, for: readiness) { [weak self] _ in self?.assumeIsolated { $0.becameReady() } }
        watched = socket
    }

    private func unwatch() {
        if let watched { loop.unwatch(watched) }
        watched = nil
    }

    private func becameReady() {
        if let waiter {
            wake(waiter.number, .ready)
        } else if !isWorking, let handle, !handle.consumeInput() {
            close()
        }
    }

    private func wait(until deadline: Instant, _ cancellation: Cancellation) async -> Wakeup {
        lastWait += 1
        let number = lastWait
        switch cancellation {
        case .ignored: return await suspend(number, until: deadline)
        case .heeded:
            return await withTaskCancellationHandler {
                await suspend(number, until: deadline)
            } onCancel: {
                loop.schedule(at: Instant(nanoseconds: 0)) { [weak self] in
                    self?.assumeIsolated { $0.wake(number, .cancelled) }
                }
            }
        }
    }

    private func suspend(_ number: UInt64, until deadline: Instant) async -> Wakeup {
        await withCheckedContinuation { continuation in
            let timer = loop.schedule(at: deadline) { [weak self] in
                self?.assumeIsolated { $0.wake(number, .expired) }
            }
            waiter = Waiter(number: number, continuation: continuation, timer: timer)
        }
    }

    /// Wakes the wait of that number; an older one has been answered already.
    private func wake(_ number: UInt64, _ wakeup: Wakeup) {
        guard let current = waiter, current.number == number else { return }
        waiter = nil
        loop.cancel(current.timer)
        current.continuation.resume(returning: wakeup)
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
