internal import Basics
internal import Glibc
internal import Process

/// Sends a packet out of a namespace to an address where nobody of ours listens.
struct OutgoingProbe {
    private let socket: ProbeSocket
    private let address: SocketAddress
    private let isDatagram: Bool

    init(
        _ path: ProbePath, of members: [NamespaceMember],
        opening open: @escaping (ProcessIdentity) throws(NetworkError) -> NetworkNamespace
    ) throws(NetworkError) {
        guard case .outgoing(let transport, let port) = path.method, transport != .icmp else {
            throw NetworkError("send to \(path.address)", errno: EINVAL)
        }
        isDatagram = transport == .udp
        let sockets = ProbeSockets(members, opening: open)
        socket = try sockets.fresh(path.from, path.address.family, isDatagram ? SOCK_DGRAM : SOCK_STREAM)
        address = SocketAddress(path.address.first, path.address.family, port: port)
    }

    /// Whether the namespace took it: there is a route, and no rule said no. A connection is begun and not waited for.
    func send() -> Bool {
        let result = address.with { address, length in
            isDatagram
                ? sendto(socket.descriptor.number, [0], 1, CInt(MSG_NOSIGNAL), address, length)
                : Int(connect(socket.descriptor.number, address, length))
        }
        return result >= 0 || errno == EINPROGRESS
    }
}
