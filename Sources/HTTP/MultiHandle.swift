internal import Basics
internal import CCurl

/// libcurl's multi handle, tied to an event loop: libcurl names the descriptors and the one timer it wants.
///
/// Used on the loop's thread only; not Sendable. The handle is freed in `deinit`, when no transfer is left.
final class MultiHandle {
    /// Whom readiness and the timer are reported to. Weak: the loop's watchers must not keep a client alive.
    weak var client: HTTPClient?
    private let pointer: UnsafeMutableRawPointer
    private let loop: EventLoop
    private var timer: EventLoop.Timer?
    /// libcurl's own count of kept connections follows the number of handles; ours is a plain limit.
    private static let keptConnections = 1_024

    init(on loop: EventLoop) throws(HTTPError) {
        guard globalInitialization == CURLE_OK, let pointer = curl_multi_init() else {
            throw HTTPError(.misuse, "libcurl could not be initialised", subject: "curl_multi_init")
        }
        self.pointer = pointer
        self.loop = loop
        let context = Unmanaged.passUnretained(self).toOpaque()
        _ = squall_curl_multi_set_callbacks(pointer, socketChanged, timerChanged, context)
        _ = squall_curl_multi_set_long(pointer, CURLMOPT_MAXCONNECTS, Self.keptConnections)
        // One request per connection: "kept" and "fresh" would mean nothing over a multiplexed one.
        _ = squall_curl_multi_set_long(pointer, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    }

    deinit {
        curl_multi_cleanup(pointer)
        if let timer { loop.cancel(timer) }
    }

    /// Starts a transfer; it makes progress only through `act`. Never call from inside a callback of libcurl.
    func add(_ easy: EasyHandle) -> CURLMcode {
        curl_multi_add_handle(pointer, easy.pointer)
    }

    /// Ends a transfer, finished or not. Never call from inside a callback of libcurl.
    func remove(_ easy: EasyHandle) {
        curl_multi_remove_handle(pointer, easy.pointer)
    }

    /// Lets libcurl read and write where it can.
    func act(on socket: CInt, _ readiness: EventLoop.Readiness) {
        var mask: CInt = 0
        if readiness.contains(.readable) { mask |= CURL_CSELECT_IN }
        if readiness.contains(.writable) { mask |= CURL_CSELECT_OUT }
        if !readiness.isDisjoint(with: .failed) { mask |= CURL_CSELECT_ERR }
        var running: CInt = 0
        curl_multi_socket_action(pointer, socket, mask, &running)
    }

    /// libcurl's timer has run out.
    func timeOut() {
        timer = nil
        var running: CInt = 0
        curl_multi_socket_action(pointer, CURL_SOCKET_TIMEOUT, 0, &running)
    }

    /// The next finished transfer with its result, or nil. The client keeps every transfer alive that was added.
    func nextFinished() -> (transfer: Transfer, result: CURLcode)? {
        var result = CURLE_OK
        guard let context = squall_curl_next_done(pointer, &result) else { return nil }
        return (Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue(), result)
    }

    fileprivate func watch(_ socket: CInt, for readiness: EventLoop.Readiness) -> CInt {
        do throws(SystemError) {
            try loop.watch(socket, for: readiness) { [weak client] readiness in
                client?.assumeIsolated { $0.socketReady(socket, readiness) }
            }
            return 0
        } catch {
            // libcurl ends the transfers with CURLM_ABORTED_BY_CALLBACK; a descriptor that epoll refuses is beyond repair.
            return -1
        }
    }

    fileprivate func unwatch(_ socket: CInt) {
        loop.unwatch(socket)
    }

    fileprivate func setTimer(milliseconds: Int) {
        if let timer { loop.cancel(timer) }
        timer = nil
        guard milliseconds >= 0 else { return }
        let deadline = SystemTimeSource().now + .milliseconds(Int64(milliseconds))
        timer = loop.schedule(at: deadline) { [weak client] in
            client?.assumeIsolated { $0.timerFired() }
        }
    }
}

/// Once per process, before the first handle; the initialisation of a global is thread safe in Swift, libcurl's is not.
private let globalInitialization = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

/// CURLMOPT_SOCKETFUNCTION: which readiness libcurl waits for on a descriptor.
private func socketChanged(
    _ easy: UnsafeMutableRawPointer?, _ socket: curl_socket_t, _ what: CInt, _ context: UnsafeMutableRawPointer?,
    _ socketContext: UnsafeMutableRawPointer?
) -> CInt {
    guard let context else { return -1 }
    let multi = Unmanaged<MultiHandle>.fromOpaque(context).takeUnretainedValue()
    switch what {
    case CURL_POLL_IN: return multi.watch(socket, for: .readable)
    case CURL_POLL_OUT: return multi.watch(socket, for: .writable)
    case CURL_POLL_INOUT: return multi.watch(socket, for: [.readable, .writable])
    default:
        multi.unwatch(socket)
        return 0
    }
}

/// CURLMOPT_TIMERFUNCTION: the one timer of the multi handle; -1 takes it away.
private func timerChanged(
    _ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?
) -> CInt {
    guard let context else { return -1 }
    Unmanaged<MultiHandle>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds: milliseconds)
    return 0
}
