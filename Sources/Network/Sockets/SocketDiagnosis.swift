internal import CNetlink
internal import Glibc

/// Lists and ends the TCP connections of a namespace over its sock_diag socket (sock_diag(7)).
///
/// SOCK_DESTROY ends a connection as `tcp_abort` does: its program gets ECONNABORTED, its peer a reset. Whoever also
/// blocks the peer's packets must do this first, or the reset is stopped by the block.
enum SocketDiagnosis {
    /// The connections in these states, of both versions.
    static func connections(
        _ socket: NetlinkSocket, states: Set<TCPState> = Set(TCPState.allCases)
    ) throws(NetworkError) -> [TCPConnection] {
        var found: [TCPConnection] = []
        for family in AddressFamily.allCases {
            let header = request(family, states: TCPState.mask(states), identity: [UInt8](repeating: 0, count: 48))
            do throws(NetworkError) {
                let answers = try socket.dump("list connections", type: UInt16(SOCK_DIAG_BY_FAMILY), header: header)
                found += answers.compactMap(connection)
            } catch {
                // A kernel with IPv6 left out has no connections of it.
                if family == .version6, error.errno == ENOENT || error.errno == EAFNOSUPPORT { continue }
                throw error
            }
        }
        return found
    }

    /// Ends each of these connections; returns those that were there to be ended.
    static func destroy(_ connections: [TCPConnection], _ socket: NetlinkSocket) throws(NetworkError) -> [TCPConnection]
    {
        var ended: [TCPConnection] = []
        for connection in connections {
            do throws(NetworkError) {
                try socket.transact(try destruction(of: connection, sequence: socket.nextSequence()))
                ended.append(connection)
            } catch {
                switch error.errno {
                // It went away by itself, or another socket has taken its addresses: the cookie does not fit that one.
                case ENOENT, ESTALE: continue
                case EOPNOTSUPP:
                    throw NetworkError(
                        "end a connection: this kernel has no SOCK_DESTROY (CONFIG_INET_DIAG_DESTROY)",
                        errno: EOPNOTSUPP)
                default: throw error
                }
            }
        }
        return ended
    }

    static func destruction(of connection: TCPConnection, sequence: UInt32) throws(NetworkError) -> NetlinkBatch {
        var batch = NetlinkBatch("end a connection")
        let header = request(
            connection.family, states: TCPState.mask([connection.state]), identity: connection.identity)
        let message = try NetlinkMessage(
            type: UInt16(SOCK_DESTROY), flags: UInt16(NLM_F_REQUEST | NLM_F_ACK), sequence: sequence, header: header)
        try batch.append("\(connection)", message, sequence: sequence, isLast: true)
        return batch
    }

    /// struct inet_diag_req_v2: family, protocol, extensions, padding, states, then struct inet_diag_sockid.
    private static func request(_ family: AddressFamily, states: UInt32, identity: [UInt8]) -> [UInt8] {
        [UInt8(family.domain), UInt8(IPPROTO_TCP), 0, 0] + hostOrder(states) + identity
    }

    /// struct inet_diag_msg: family, state, timer, retransmissions, struct inet_diag_sockid, counters; nil for what is no
    /// such message, or a connection in a state that nobody asked for.
    static func connection(_ message: NetlinkReader.Message) -> TCPConnection? {
        guard message.type == UInt16(SOCK_DIAG_BY_FAMILY), message.payload.count >= 72 else { return nil }
        let payload = Array(message.payload)
        guard let family = AddressFamily.allCases.first(where: { $0.domain == CInt(payload[0]) }),
            let state = TCPState(rawValue: payload[1])
        else { return nil }
        // Ports of this end and of the other in network order, addresses of 16 bytes each, interface, cookie.
        let identity = Array(payload[4..<52])
        return TCPConnection(
            family: family, state: state, local: end(identity, family, port: 0, address: 4),
            remote: end(identity, family, port: 2, address: 20), identity: identity)
    }

    private static func end(
        _ identity: [UInt8], _ family: AddressFamily, port: Int, address: Int
    ) -> TCPConnection.End {
        let bytes = Array(identity[address..<(address + family.length)])
        let port = UInt16(identity[port]) << 8 | UInt16(identity[port + 1])
        let isMapped = family == .version6 && bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        return TCPConnection.End(
            address: isMapped ? AddressRange(.version4, Array(bytes.suffix(4))) : AddressRange(family, bytes),
            port: port)
    }
}
