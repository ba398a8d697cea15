/// The states of a TCP connection as the kernel numbers them (include/net/tcp_states.h); ports that only listen, and what
/// is over (TIME_WAIT, CLOSE), are no connection that anybody could lose.
package enum TCPState: UInt8, Sendable, Hashable, Codable, CaseIterable {
    case established = 1
    case synSent = 2
    case synReceived = 3
    case finWait1 = 4
    case finWait2 = 5
    case closeWait = 8
    case lastAck = 9
    case closing = 11
    /// A handshake that a listener has answered and not finished (TCP_NEW_SYN_RECV).
    case request = 12

    /// The bits by which a dump is restricted.
    static func mask(_ states: some Sequence<TCPState>) -> UInt32 {
        states.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
    }
}
