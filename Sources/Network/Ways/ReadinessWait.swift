internal import Basics
internal import Synchronization

/// Waits for a socket without holding its loop's thread; false at the deadline.
func ready(
    _ descriptor: CInt, for readiness: EventLoop.Readiness, until deadline: Instant, on loop: EventLoop
) async -> Bool {
    await withCheckedContinuation { continuation in
        let wait = ReadinessWait(continuation)
        let timer = loop.schedule(at: deadline) {
            loop.unwatch(descriptor)
            wait.end(false)
        }
        do throws(SystemError) {
            try loop.watch(descriptor, for: readiness) { _ in
                loop.unwatch(descriptor)
                loop.cancel(timer)
                wait.end(true)
            }
        } catch {
            loop.cancel(timer)
            wait.end(false)
        }
    }
}

/// A continuation that two events may end, of which the first one counts.
private final class ReadinessWait: Sendable {
    private let continuation: Mutex<CheckedContinuation<Bool, Never>?>

    init(_ continuation: CheckedContinuation<Bool, Never>) {
        self.continuation = Mutex(continuation)
    }

    func end(_ result: Bool) {
        continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }?.resume(returning: result)
    }
}
