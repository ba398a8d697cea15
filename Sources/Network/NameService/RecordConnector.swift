internal import Basics
internal import Contracts
internal import Glibc

/// Connects to where a name leads, anew each time; and keeps the first connection for as long as its peer does.
actor RecordConnector {
    /// The kept connection, now or at its end.
    struct Kept: Sendable, Hashable {
        var address: AddressRange
        /// `closed`, `reset`, `timeout`, …; nil while it stands.
        var end: Label?
    }

    private nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let port: UInt16
    private var connection: ConnectionAttempt?
    private var kept: Kept?

    init(port: UInt16, on loop: EventLoop) {
        self.port = port
        self.loop = loop
    }

    /// Makes a connection and, unless it is the first that succeeds, closes it; nil: it succeeded, else why not.
    func connect(to address: AddressRange, until deadline: Instant) async -> Label? {
        let attempt: ConnectionAttempt
        do throws(NetworkError) {
            attempt = ConnectionAttempt(try ProbeSocket(here: SOCK_STREAM, address.family), to: address, port: port)
        } catch {
            return NetworkFailure.reason(error.errno)
        }
        if let failure = attempt.failure { return NetworkFailure.reason(failure) }
        guard await ready(attempt.descriptor, for: .writable, until: deadline, on: loop) else { return "timeout" }
        switch attempt.result() {
        case .failure(let error): return NetworkFailure.reason(error.errno)
        case .success:
            if kept == nil { keep(attempt, to: address) }
            return nil
        }
    }

    private func keep(_ attempt: ConnectionAttempt, to address: AddressRange) {
        // A peer that is gone without a word is noticed after four seconds; without this it never would be.
        let options = [(SOL_SOCKET, SO_KEEPALIVE, 1), (CInt(IPPROTO_TCP), TCP_KEEPIDLE, 1)]
        let pace = [(CInt(IPPROTO_TCP), TCP_KEEPINTVL, 1), (CInt(IPPROTO_TCP), TCP_KEEPCNT, 3)]
        for (level, name, value) in options + pace {
            var value = CInt(value)
            setsockopt(attempt.descriptor, level, name, &value, socklen_t(MemoryLayout<CInt>.size))
        }
        connection = attempt
        kept = Kept(address: address)
    }

    /// What became of the kept connection; nil when none was made yet. It is never made again.
    func look() -> Kept? {
        if let connection, let end = Self.end(of: connection.descriptor) {
            kept?.end = end
            self.connection = nil
        }
        return kept
    }

    /// nil while the other end holds it. What it sends is read away: an end of file stands behind it.
    private static func end(of descriptor: CInt) -> Label? {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        // One that talks without end is there.
        for _ in 0..<256 {
            let count = recv(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT))
            if count == 0 { return "closed" }
            if count > 0 || errno == EINTR { continue }
            return errno == EAGAIN ? nil : NetworkFailure.reason(errno)
        }
        return nil
    }
}
