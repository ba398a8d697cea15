internal import Basics
internal import CLinux
internal import Glibc

/// Our sockets in one namespace of an `EchoMesh`.
final class EchoPlace {
    enum Role {
        case receiver
        case sender
        case listener
    }

    let member: NamespaceMember
    let hold: NamespaceHold
    private let addresses: [AddressRange]
    /// What answers: a socket that echoes, or one that listens.
    private(set) var receivers: [AddressFamily: ProbeSocket] = [:]
    private(set) var senders: [AddressFamily: ProbeSocket] = [:]
    private let method: EchoMesh.Method

    init(_ member: NamespaceMember, method: EchoMesh.Method, families: [AddressFamily]) throws(NetworkError) {
        self.member = member
        hold = try NamespaceHold(member)
        addresses = member.addresses.filter { families.contains($0.family) && !$0.isLinkLocal }
        self.method = method
        for family in Set(addresses.map(\.family)) { try open(family) }
    }

    private func open(_ family: AddressFamily) throws(NetworkError) {
        switch method {
        case .udp:
            let receiver = try ProbeSocket(SOCK_DGRAM, family, in: hold.space)
            try receiver.bindAnywhere(family)
            let sender = try ProbeSocket(SOCK_DGRAM, family, in: hold.space)
            for socket in [receiver, sender] where squall_stamp_arrivals(socket.descriptor.number) != 0 {
                throw NetworkError("stamp arrivals", errno: errno)
            }
            receivers[family] = receiver
            senders[family] = sender
        case .tcp:
            let listener = try ProbeSocket(SOCK_STREAM, family, in: hold.space)
            try listener.bindAnywhere(family)
            guard listen(listener.descriptor.number, 128) == 0 else { throw NetworkError("listen", errno: errno) }
            receivers[family] = listener
        }
    }

    var descriptors: [(CInt, Role)] {
        let role: Role = method == .udp ? .receiver : .listener
        return receivers.values.map { ($0.descriptor.number, role) }
            + senders.values.map { ($0.descriptor.number, .sender) }
    }

    /// Addresses of this place that the other one has the version for.
    func addresses(reachableFrom other: EchoPlace) -> [AddressRange] {
        let families = Set(other.addresses.map(\.family))
        return addresses.filter { families.contains($0.family) }
    }

    /// Accepts whoever has connected and hangs up: the handshake was all that was asked. Not with a reset, which could
    /// overtake the other end's look at its handshake; that end resets, so that none of the two stays in TIME_WAIT.
    static func turnAway(_ listener: CInt) {
        while true {
            let accepted = squall_accept(listener)
            if accepted < 0 { return }
            Glibc.close(accepted)
        }
    }
}
