internal import Basics
internal import Contracts
internal import Glibc

/// Makes connections from one place, on a thread of its own.
actor TCPConnector {
    /// Where connections begin and end.
    struct Ends: Sendable, Hashable {
        /// nil: on this machine.
        var from: NamespaceMember?
        var to: AddressRange
    }

    struct Attempt: Sendable, Hashable {
        /// nil: nothing was sent.
        var sent: Instant?
        var ended: Instant
        var outcome: Outcome
        var reason: Label

        init(sent: Instant?, ended: Instant, _ outcome: Outcome, _ reason: Label = .none) {
            self.sent = sent
            self.ended = ended
            self.outcome = outcome
            self.reason = reason
        }
    }

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let time = SystemTimeSource()
    private var ends: Ends?
    private var hold: NamespaceHold?

    init() throws(SystemError) {
        loop = try EventLoop(name: "squall-connect")
    }

    deinit {
        loop.stop()
    }

    /// Begins and ends there from now on; nil lets the namespace go.
    func take(_ ends: Ends?) {
        if let hold, ends?.from?.process != hold.process { leave() }
        self.ends = ends
        guard let member = ends?.from, hold == nil else { return }
        do throws(NetworkError) {
            let taken = try NamespaceHold(member)
            do throws(SystemError) {
                try loop.watch(taken.ended, for: .readable) { [weak self] _ in self?.assumeIsolated { $0.leave() } }
            } catch {
                return
            }
            hold = taken
        } catch {
            // It has ended since it was looked at: whoever connects from there finds it absent, the next look may not.
            return
        }
    }

    /// What is open in a dead namespace would keep it alive.
    private func leave() {
        if let hold { loop.unwatch(hold.ended) }
        hold = nil
    }

    func connect(to port: UInt16, within limit: Span) async -> Attempt {
        guard let ends else { return Attempt(sent: nil, ended: time.now, .failed, "absent") }
        let attempt: ConnectionAttempt
        do throws(NetworkError) {
            guard let socket = try socket(ends) else { return Attempt(sent: nil, ended: time.now, .failed, "absent") }
            attempt = ConnectionAttempt(socket, to: ends.to, port: port)
        } catch {
            return Attempt(sent: nil, ended: time.now, .unknown, NetworkFailure.reason(error.errno))
        }
        if let failure = attempt.failure { return judge(failure, attempt) }
        guard await ready(attempt.descriptor, for: .writable, until: attempt.began + limit, on: loop) else {
            return Attempt(sent: attempt.began, ended: attempt.began + limit, .failed, "timeout")
        }
        switch attempt.result() {
        case .success(let span): return Attempt(sent: attempt.began, ended: attempt.began + span, .ok)
        case .failure(let error): return judge(error.errno, attempt)
        }
    }

    private func socket(_ ends: Ends) throws(NetworkError) -> ProbeSocket? {
        guard ends.from != nil else { return try ProbeSocket(here: SOCK_STREAM, ends.to.family) }
        guard let hold else { return nil }
        return try ProbeSocket(SOCK_STREAM, ends.to.family, in: hold.space)
    }

    /// Too few ports or too little memory on this side say nothing about the other.
    private func judge(_ code: CInt, _ attempt: ConnectionAttempt) -> Attempt {
        let isOurs = [EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code)
        return Attempt(
            sent: isOurs ? nil : attempt.began, ended: time.now, isOurs ? .unknown : .failed,
            NetworkFailure.reason(code))
    }
}
