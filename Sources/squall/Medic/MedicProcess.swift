internal import Basics
internal import CLinux
internal import Contracts
internal import Controller
internal import Glibc
internal import Synchronization

/// The controller's medic: the same binary in a session of its own, started again when it dies.
final class MedicProcess: MedicLink {
    private enum Life {
        case starting
        case watching
        case lost(FaultError)
        case dismissed
    }

    private struct State {
        var life = Life.starting
        var channel: MedicChannel?
        var pidfd: CInt = -1
        var starts = 0
        var hasRelieved = false
        /// Copies of the locks, for a medic that is started later than they were taken.
        var locks: [CInt] = []
        var waiters: [CheckedContinuation<Result<Void, FaultError>, Never>] = []
        var dismissal: CheckedContinuation<Void, Never>?
    }

    /// Build servers end every process that bears these when a job is cancelled (the GitHub runner, Jenkins): just when
    /// the medic is needed.
    private static let huntedBy: Set<String> = ["RUNNER_TRACKING_ID", "JENKINS_NODE_COOKIE"]
    private static let longestStart = Span.seconds(10)
    private static let mostStarts = 4

    private let journal: String
    private let log: String
    private let loop: EventLoop
    private let time = SystemTimeSource()
    private let note: @Sendable (String) -> Void
    private let onLoss: @Sendable (FaultError) -> Void
    private let onRelief: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - journal: absolute; the medic keeps its log beside it.
    ///   - note: told of a medic that died and was started again.
    ///   - onLoss: told once when no medic can be had any more: what is injected must be healed now.
    ///   - onRelief: told when the medic has healed in this controller's place, because it stood still.
    init(
        journal: String, loop: EventLoop, note: @escaping @Sendable (String) -> Void,
        onLoss: @escaping @Sendable (FaultError) -> Void, onRelief: @escaping @Sendable () -> Void
    ) {
        self.onRelief = onRelief
        self.journal = journal
        log =
            journal.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/medic.log"
        self.loop = loop
        self.note = note
        self.onLoss = onLoss
    }

    /// Starts the medic; `ready` tells when it watches.
    func start() {
        do throws(SystemError) {
            try launch()
        } catch {
            lose("the medic cannot be started", error)
        }
    }

    // MARK: The link

    func ready() async throws(FaultError) {
        let result: Result<Void, FaultError> = await withCheckedContinuation { continuation in
            let known: Result<Void, FaultError>? = state.withLock { state in
                switch state.life {
                case .watching, .dismissed: return .success(())
                case .lost(let error): return .failure(error)
                case .starting:
                    state.waiters.append(continuation)
                    return nil
                }
            }
            if let known { continuation.resume(returning: known) }
        }
        try result.get()
    }

    /// This controller stood still for so long that its medic healed in its place.
    func hasRelieved() async -> Bool {
        // A timer fires after everything that has come in by now is read.
        await withCheckedContinuation { continuation in
            loop.schedule(at: Instant(nanoseconds: 0)) { continuation.resume() }
        }
        return state.withLock { $0.hasRelieved }
    }

    func journalChanged() { state.withLock { $0.channel?.send(.journalChanged) } }

    /// Hands a target's lock on: it is held until the medic is gone as well.
    func share(lock descriptor: CInt) {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        state.withLock { state in
            if copy >= 0 { state.locks.append(copy) }
            state.channel?.send(.lock, descriptor: descriptor)
        }
    }

    /// Sends the medic home and waits until it is gone, two seconds at most.
    func dismiss() async {
        let isThere = state.withLock { state in
            state.life = .dismissed
            state.channel?.send(.dismissed)
            return state.pidfd >= 0
        }
        if isThere {
            let timer = loop.schedule(at: time.now + .seconds(2)) { self.dismissalOver() }
            await withCheckedContinuation { continuation in
                let isGone = state.withLock { state in
                    if state.pidfd >= 0 { state.dismissal = continuation }
                    return state.pidfd < 0
                }
                if isGone { continuation.resume() }
            }
            loop.cancel(timer)
        }
        removeEmptyLog()
    }

    // MARK: The process

    private func launch() throws(SystemError) {
        let file = try Descriptor(opening: log, flags: O_WRONLY | O_CREAT | O_APPEND)
        let (ours, theirs) = try MedicChannel.pair()
        defer { theirs.close() }
        let pidfd: CInt
        do throws(SystemError) {
            pidfd = try spawn(channel: theirs, log: file.number)
        } catch {
            ours.close()
            throw error
        }
        let locks = state.withLock { state in
            state.channel = ours
            state.pidfd = pidfd
            state.starts += 1
            return state.locks
        }
        for lock in locks { ours.send(.lock, descriptor: lock) }
        try loop.watch(ours.descriptor, for: .readable) { _ in self.receive(from: ours) }
        try loop.watch(pidfd, for: .readable) { _ in self.ended(pidfd) }
        loop.schedule(at: time.now + Self.longestStart) { self.startIsOver(pidfd) }
    }

    private func spawn(channel: MedicChannel, log: CInt) throws(SystemError) -> CInt {
        let program = "/proc/self/exe"
        let variables = processEnvironment().filter { !Self.huntedBy.contains($0.key) }
            .map { "\($0.key)=\($0.value)" }.sorted()
        var pid: pid_t = 0
        let failure = withCStrings(["squall", "medic", "--journal", journal]) { arguments in
            withCStrings(variables) { variables in
                squall_spawn_session(program, arguments, variables, channel.descriptor, log, &pid)
            }
        }
        guard failure == 0 else { throw SystemError("posix_spawn", errno: failure, subject: program) }
        return try retryingInterrupts("pidfd_open", subject: "pid \(pid)") { squall_pidfd_open(pid, 0) }
    }

    private func receive(from channel: MedicChannel) {
        switch channel.receive() {
        case .message(.ready, _): becameReady()
        case .message(.relieved, _):
            state.withLock { $0.hasRelieved = true }
            onRelief()
        case .nothing, .message: return
        // The end of the process itself is what counts; its channel has no more to say.
        case .end: loop.unwatch(channel.descriptor)
        }
    }

    private func becameReady() {
        let waiters = state.withLock { state in
            if case .starting = state.life { state.life = .watching }
            defer { state.waiters.removeAll() }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: .success(())) }
    }

    private func ended(_ pidfd: CInt) {
        var isSignal: CInt = 0
        var status: CInt = 0
        guard squall_reap(pidfd, &isSignal, &status) != 0 else { return }
        loop.unwatch(pidfd)
        let (isDismissed, starts, waiting) = state.withLock { state in
            close(pidfd)
            state.pidfd = -1
            if let channel = state.channel {
                loop.unwatch(channel.descriptor)
                channel.close()
            }
            state.channel = nil
            defer { state.dismissal = nil }
            if case .dismissed = state.life { return (true, state.starts, state.dismissal) }
            state.life = .starting
            return (false, state.starts, nil)
        }
        waiting?.resume()
        if isDismissed { return }
        let how = isSignal == 1 ? "signal \(status)" : "exit code \(status)"
        guard starts < Self.mostStarts else {
            return lose("the medic ended \(starts) times, last with \(how)", nil)
        }
        note("the medic ended (\(how)); it is started again")
        start()
    }

    private func startIsOver(_ pidfd: CInt) {
        let isLate = state.withLock { state in
            if case .starting = state.life { state.pidfd == pidfd } else { false }
        }
        if isLate { lose("the medic did not answer within \(Self.longestStart)", nil) }
    }

    private func lose(_ message: String, _ cause: SystemError?) {
        let error = FaultError(.unexpected, message, advice: "see \(log)", underlying: cause)
        let waiters = state.withLock { state in
            if case .dismissed = state.life { return state.waiters }
            state.life = .lost(error)
            defer { state.waiters.removeAll() }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: .failure(error)) }
        onLoss(error)
    }

    private func dismissalOver() {
        let waiting = state.withLock { state in
            defer { state.dismissal = nil }
            return state.dismissal
        }
        waiting?.resume()
    }

    /// A medic that had nothing to say leaves no file.
    private func removeEmptyLog() {
        var status = stat()
        if stat(log, &status) == 0, status.st_size == 0 { unlink(log) }
    }
}
