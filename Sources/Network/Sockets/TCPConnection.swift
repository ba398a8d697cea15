/// One end of a TCP connection as the kernel of its namespace lists it.
package struct TCPConnection: Sendable, Hashable {
    package struct End: Sendable, Hashable, CustomStringConvertible {
        /// Of version 4 for an IPv6 socket that speaks IPv4 (`::ffff:10.0.0.1`): packets, rules and people know that one.
        package var address: AddressRange
        package var port: UInt16

        package var description: String {
            switch address.family {
            case .version4: "\(address):\(port)"
            case .version6: "[\(address)]:\(port)"
            }
        }
    }

    /// Of the socket, not of its packets: that of an IPv4 connection may be an IPv6 socket.
    var family: AddressFamily
    package var state: TCPState
    package var local: End
    package var remote: End
    /// struct inet_diag_sockid as the kernel sent it: with its cookie it names this very socket and none that comes later.
    var identity: [UInt8]
}

extension TCPConnection: CustomStringConvertible {
    package var description: String { "\(local) - \(remote)" }
}
