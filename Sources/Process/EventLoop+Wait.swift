internal import Basics
internal import Glibc
internal import Synchronization

/// How a wait for a descriptor ended.
enum WaitResult: Sendable, Hashable {
    case ready
    case deadline
    case cancelled
}

extension EventLoop {
    /// Waits until `descriptor` is readable, without holding a thread of anybody.
    ///
    /// The descriptor must be used by this wait alone and stay open until it returns.
    func waitUntilReadable(_ descriptor: CInt, until deadline: Instant) async throws(SystemError) -> WaitResult {
        let wait = DescriptorWait()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait.begin(continuation)
                do throws(SystemError) {
                    try watch(descriptor, for: .readable) { _ in
                        // A number that was closed and opened again may be told of its predecessor's readiness.
                        if isReadable(descriptor) { wait.finish(.success(.ready)) }
                    }
                } catch {
                    wait.finish(.failure(error))
                }
                wait.timer = schedule(at: deadline) { wait.finish(.success(.deadline)) }
            }
        } onCancel: {
            wait.finish(.success(.cancelled))
        }
        unwatch(descriptor)
        if let timer = wait.timer { cancel(timer) }
        return try result.get()
    }
}

/// Whether a read would not block now: for a pidfd, whether its process has ended.
func isReadable(_ descriptor: CInt) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) == 1
}

/// One continuation that three sides may want to resume: the descriptor, the clock and a cancellation.
private final class DescriptorWait: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Result<WaitResult, SystemError>, Never>?
        var early: Result<WaitResult, SystemError>?
        var timer: EventLoop.Timer?
    }

    private let state = Mutex(State())

    var timer: EventLoop.Timer? {
        get { state.withLock { $0.timer } }
        set { state.withLock { $0.timer = newValue } }
    }

    func begin(_ continuation: CheckedContinuation<Result<WaitResult, SystemError>, Never>) {
        let early = state.withLock { state in
            if state.early == nil { state.continuation = continuation }
            return state.early
        }
        if let early { continuation.resume(returning: early) }
    }

    func finish(_ result: Result<WaitResult, SystemError>) {
        let waiting = state.withLock { state in
            defer { state.continuation = nil }
            if state.early == nil { state.early = result }
            return state.continuation
        }
        waiting?.resume(returning: result)
    }
}
