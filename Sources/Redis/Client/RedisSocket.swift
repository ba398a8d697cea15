internal import Basics
internal import Glibc

/// A TCP socket that never waits, with TLS on it if the address says so. Used by one thread: its connection's loop.
final class RedisSocket {
    enum Progress {
        /// Everything is written; only answers are waited for.
        case idle
        /// There is more to write than the socket takes now.
        case blocked
    }

    /// Why nothing more comes or goes.
    struct Failure: Error {
        var code: RedisError.Code
        var message: String
    }

    private let descriptor: Descriptor
    private let filter: TLSFilter?
    private var outgoing: [UInt8] = []
    private var incoming = [UInt8](repeating: 0, count: 16_384)
    private(set) var isConnected = false

    var number: CInt { descriptor.number }
    /// Connected, and TLS is agreed on.
    var isReady: Bool { isConnected && filter?.isEstablished ?? true }

    /// Starts a connection to a numeric address.
    init(_ address: String, _ endpoint: RedisEndpoint) throws(Failure) {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address, String(endpoint.port), &hints, &list) == 0, let list else {
            throw Failure(code: .unresolved, message: "\(address) is no address")
        }
        defer { freeaddrinfo(list) }
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        do throws(SystemError) {
            descriptor = Descriptor(
                owning: try retryingInterrupts("socket") { socket(list.pointee.ai_family, kind, 0) })
        } catch {
            throw Failure(code: .unreachable, message: "\(error)")
        }
        do throws(TLSFilter.Failure) {
            filter = try endpoint.tls.map { settings throws(TLSFilter.Failure) in
                try TLSFilter(settings, host: endpoint.host)
            }
        } catch {
            throw Failure(code: .tls, message: error.message)
        }
        var on: CInt = 1
        setsockopt(descriptor.number, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
        guard connect(descriptor.number, list.pointee.ai_addr, list.pointee.ai_addrlen) != 0 else { return }
        if errno != EINPROGRESS { throw Self.failure(errno) }
    }

    private static func failure(_ number: CInt) -> Failure {
        Failure(
            code: number == ECONNREFUSED ? .refused : .unreachable, message: String(cString: strerror(number)))
    }

    /// Called when the socket has become writable or has failed while it connected.
    func proceed() throws(Failure) {
        guard !isConnected else { return }
        var number: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(descriptor.number, SOL_SOCKET, SO_ERROR, &number, &length)
        guard number == 0 else { throw Self.failure(number) }
        isConnected = true
        try filtered { filter throws(TLSFilter.Failure) in try filter.shakeHands() }
    }

    private func filtered(_ body: (TLSFilter) throws(TLSFilter.Failure) -> Void) throws(Failure) {
        guard let filter else { return }
        do throws(TLSFilter.Failure) {
            try body(filter)
        } catch {
            throw Failure(code: .tls, message: error.message)
        }
        outgoing += filter.takeOutgoing()
    }

    func put(_ bytes: [UInt8]) throws(Failure) {
        if filter == nil { outgoing += bytes }
        try filtered { filter throws(TLSFilter.Failure) in try filter.send(bytes) }
    }

    /// Writes what it takes.
    func flush() throws(Failure) -> Progress {
        while !outgoing.isEmpty {
            let count = Glibc.send(descriptor.number, outgoing, outgoing.count, CInt(MSG_NOSIGNAL))
            if count == outgoing.count {
                outgoing.removeAll(keepingCapacity: true)
                continue
            }
            if count > 0 {
                outgoing.removeFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .blocked
            default: throw Failure(code: .lost, message: String(cString: strerror(errno)))
            }
        }
        return .idle
    }

    /// Hands over everything that has come, in order.
    func receive(_ take: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
        while true {
            let count = recv(descriptor.number, &incoming, incoming.count, 0)
            if count == 0 { throw Failure(code: .lost, message: "the server closed the connection") }
            if count < 0 {
                switch errno {
                case EINTR: continue
                case EAGAIN: return
                default: throw Failure(code: .lost, message: String(cString: strerror(errno)))
                }
            }
            guard let filter else {
                try Self.lend(incoming[..<count], take)
                continue
            }
            let plain: [UInt8]
            do throws(TLSFilter.Failure) {
                plain = try Self.lendFiltered(incoming[..<count], filter)
            } catch {
                throw Failure(code: .tls, message: error.message)
            }
            outgoing += filter.takeOutgoing()
            if !plain.isEmpty { try Self.lend(plain[...], take) }
        }
    }

    private static func lend(
        _ bytes: ArraySlice<UInt8>, _ take: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let result = bytes.withUnsafeBytes { pointer in
            Result { () throws(Failure) in try take(pointer) }
        }
        try result.get()
    }

    private static func lendFiltered(
        _ bytes: ArraySlice<UInt8>, _ filter: TLSFilter
    ) throws(TLSFilter.Failure) -> [UInt8] {
        let result = bytes.withUnsafeBytes { pointer in
            Result { () throws(TLSFilter.Failure) in try filter.receive(pointer) }
        }
        return try result.get()
    }
}
