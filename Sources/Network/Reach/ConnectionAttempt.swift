internal import Basics
internal import Glibc

/// One TCP connection that is being made; closed when this goes away.
final class ConnectionAttempt {
    /// Where `tcpi_rtt` stands in struct tcp_info: microseconds (include/uapi/linux/tcp.h).
    private static let roundTripOffset = 68

    private let socket: ProbeSocket
    private let time = SystemTimeSource()
    let began: Instant
    /// What the kernel said at once; nil while it may still succeed.
    private(set) var failure: CInt?

    /// - Parameter endsWithReset: the connection is to a socket of ours: none of the two ends stays behind in TIME_WAIT.
    init(_ socket: ProbeSocket, to address: AddressRange, port: UInt16, endsWithReset: Bool = false) {
        self.socket = socket
        if endsWithReset { Self.endWithReset(socket.descriptor.number) }
        began = time.now
        let target = SocketAddress(address.first, address.family, port: port)
        if target.with({ connect(socket.descriptor.number, $0, $1) }) != 0, errno != EINPROGRESS { failure = errno }
    }

    var descriptor: CInt { socket.descriptor.number }

    /// How it ended, once the socket is ready: the time that the handshake took, by the kernel's own measure when it has
    /// one (none after a repeated SYN), because our thread may have been late to look.
    func result() -> Result<Span, NetworkError> {
        let passed = time.now - began
        var code: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else {
            return .failure(NetworkError("connect", errno: errno))
        }
        if code != 0 { return .failure(NetworkError("connect", errno: code)) }
        var info = [UInt8](repeating: 0, count: 104)
        var size = socklen_t(info.count)
        let known = getsockopt(descriptor, CInt(IPPROTO_TCP), TCP_INFO, &info, &size)
        let microseconds = known == 0 ? host32(info[...], at: Self.roundTripOffset) : 0
        let measured = Span.microseconds(Int64(microseconds))
        return .success(microseconds > 0 && measured < passed ? measured : passed)
    }

    static func endWithReset(_ descriptor: CInt) {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}
