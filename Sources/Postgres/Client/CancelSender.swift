internal import Basics
internal import CPostgres
internal import Synchronization

/// Sends cancel requests from threads of their own, best effort.
///
/// `PQcancel` connects and then reads until the server hangs up: a frozen server keeps the caller for ever. A few
/// threads take that risk; while all of them are held, further requests are dropped. What a request is for has been
/// judged already (the statement timed out, the connection is closed), so nothing depends on its success; it only spares
/// the server backends that would otherwise wait on, for example for a standby that is gone.
final class CancelSender: Sendable {
    private struct Threads {
        var idle: [EventLoop] = []
        var started = 0
    }

    private static let limit = 4
    private let threads = Mutex(Threads())

    /// Takes over the token and frees it, whether the request could be sent or not.
    func send(_ token: OpaquePointer) {
        guard let thread = borrow() else {
            PQfreeCancel(token)
            return
        }
        // A pointer may not cross threads as such; its number may. The handler is its only user from here on.
        let number = UInt(bitPattern: token)
        thread.schedule(at: Instant(nanoseconds: 0)) { [self] in
            let token = OpaquePointer(bitPattern: number)
            var message = [CChar](repeating: 0, count: 256)
            PQcancel(token, &message, CInt(message.count))
            PQfreeCancel(token)
            threads.withLock { $0.idle.append(thread) }
        }
    }

    private func borrow() -> EventLoop? {
        threads.withLock { threads in
            if let thread = threads.idle.popLast() { return thread }
            guard threads.started < Self.limit, let thread = try? EventLoop(name: "pg-cancel") else { return nil }
            threads.started += 1
            return thread
        }
    }

    deinit {
        threads.withLock { for thread in $0.idle { thread.stop() } }
    }
}
