internal import Glibc
internal import Synchronization

/// Why a host name has no address.
package struct HostLookupError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// The name is not known, or has no address.
        case unresolved
        case timeout
    }

    package var code: Code
    package var host: String
    package var message: String

    package var description: String { "look up '\(host)': \(message)" }
}

/// Resolves host names away from the connections' thread: one pinned thread per name, so that a name server that
/// stalls for one name holds up no other, and no connection that is already open.
///
/// Every connection asks anew (a failover may move the name); who asks while the same name is being looked up shares
/// that answer.
package final class HostLookup: Sendable {
    typealias Answer = Result<[String], HostLookupError>

    private struct Name {
        var thread: EventLoop
        var waiting: [UInt64: CheckedContinuation<Answer, Never>] = [:]
        var isLookingUp = false
    }

    private struct State {
        var names: [String: Name] = [:]
        var lastRequest: UInt64 = 0
    }

    private let loop: EventLoop
    private let state = Mutex(State())

    /// Deadlines are kept by `loop`; it never waits for a lookup.
    package init(loop: EventLoop) {
        self.loop = loop
    }

    /// The numeric addresses of a host, IPv4 and IPv6 in the system's order of preference; an address is its own.
    package func addresses(of host: String, until deadline: Instant) async throws(HostLookupError) -> [String] {
        if isNumericAddress(host) { return [host] }
        let answer: Answer = await withCheckedContinuation { continuation in
            switch begin(host, continuation) {
            case .failure(let error): continuation.resume(returning: .failure(error))
            case .success(let request):
                loop.schedule(at: deadline) { [weak self] in self?.expire(host, request) }
            }
        }
        return try answer.get()
    }

    private func begin(
        _ host: String, _ continuation: CheckedContinuation<Answer, Never>
    ) -> Result<UInt64, HostLookupError> {
        let thread: EventLoop
        do {
            thread = try state.withLock { $0.names[host]?.thread } ?? EventLoop(name: "squall-names")
        } catch {
            return .failure(
                HostLookupError(code: .unresolved, host: host, message: "no thread for the lookup: \(error)"))
        }
        let (request, mustStart) = state.withLock { state in
            state.lastRequest += 1
            var name = state.names[host] ?? Name(thread: thread)
            name.waiting[state.lastRequest] = continuation
            let mustStart = !name.isLookingUp
            name.isLookingUp = true
            state.names[host] = name
            return (state.lastRequest, mustStart)
        }
        if mustStart { thread.schedule(at: Instant(nanoseconds: 0)) { [weak self] in self?.lookUp(host) } }
        return .success(request)
    }

    /// Runs on the name's own thread, which may block here.
    private func lookUp(_ host: String) {
        let answer = numericAddresses(host)
        let waiting = state.withLock { state in
            defer {
                state.names[host]?.waiting = [:]
                state.names[host]?.isLookingUp = false
            }
            return state.names[host]?.waiting ?? [:]
        }
        for continuation in waiting.values { continuation.resume(returning: answer) }
    }

    private func expire(_ host: String, _ request: UInt64) {
        let continuation = state.withLock { $0.names[host]?.waiting.removeValue(forKey: request) }
        continuation?.resume(
            returning: .failure(
                HostLookupError(code: .timeout, host: host, message: "the name lookup did not answer")))
    }

    deinit {
        state.withLock { for name in $0.names.values { name.thread.stop() } }
    }
}

/// getaddrinfo(3), blocking.
private func numericAddresses(_ host: String) -> HostLookup.Answer {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(host, nil, &hints, &list)
    guard result == 0 else {
        let reason = gai_strerror(result).map { String(cString: $0) } ?? "error \(result)"
        return .failure(HostLookupError(code: .unresolved, host: host, message: reason))
    }
    defer { freeaddrinfo(list) }
    var addresses: [String] = []
    var entry = list
    while let current = entry {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let info = current.pointee
        if getnameinfo(info.ai_addr, info.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 {
            let address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if !addresses.contains(address) { addresses.append(address) }
        }
        entry = info.ai_next
    }
    return .success(addresses)
}

/// Whether a host is an address already and needs no name server.
private func isNumericAddress(_ host: String) -> Bool {
    var four = in_addr()
    var six = in6_addr()
    return inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1
}
