internal import Basics
internal import Glibc
internal import Process

/// A socket of ours in a target's namespace, for packets that show whether a way is open.
final class ProbeSocket {
    let descriptor: Descriptor
    private(set) var port: UInt16 = 0

    /// Never blocks.
    init(
        _ type: __socket_type, _ family: AddressFamily, in space: borrowing NetworkNamespace
    ) throws(NetworkError) {
        descriptor = try space.socket(
            domain: family.domain, type: CInt(type.rawValue) | CInt(SOCK_NONBLOCK.rawValue))
    }

    /// One of this machine's own network.
    init(here type: __socket_type, _ family: AddressFamily) throws(NetworkError) {
        let options = CInt(type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let number = socket(family.domain, options, 0)
        guard number >= 0 else { throw NetworkError("open a socket", errno: errno) }
        descriptor = Descriptor(owning: number)
    }

    /// Binds to a port that the kernel chooses.
    func bindAnywhere(_ family: AddressFamily) throws(NetworkError) { try bind(SocketAddress.any(family)) }

    /// The same, reachable from inside the namespace only.
    func bindToLoopback(_ family: AddressFamily) throws(NetworkError) {
        try bind(SocketAddress(AddressRange.loopback(family).first, family, port: 0))
    }

    private func bind(_ address: SocketAddress) throws(NetworkError) {
        let result = address.with { Glibc.bind(descriptor.number, $0, $1) }
        guard result == 0 else { throw NetworkError("bind a socket", errno: errno) }
        port = SocketAddress.port(of: descriptor.number)
    }
}

/// The sockets of one try, one for each member, version of the protocol and purpose.
struct ProbeSockets {
    private struct Key: Hashable {
        var member: Int
        var family: AddressFamily
        var purpose: String
    }

    private let members: [NamespaceMember]
    private let open: (ProcessIdentity) throws(NetworkError) -> NetworkNamespace
    private var sockets: [Key: ProbeSocket] = [:]

    init(
        _ members: [NamespaceMember], opening open: @escaping (ProcessIdentity) throws(NetworkError) -> NetworkNamespace
    ) {
        self.members = members
        self.open = open
    }

    func fresh(_ member: Int, _ family: AddressFamily, _ type: __socket_type) throws(NetworkError) -> ProbeSocket {
        guard members.indices.contains(member) else { throw NetworkError("find member \(member)", errno: EINVAL) }
        return try ProbeSocket(type, family, in: try open(members[member].process))
    }

    /// The same one at each call; `prepare` runs once.
    mutating func shared(
        _ member: Int, _ family: AddressFamily, _ type: __socket_type, _ purpose: String,
        prepare: (ProbeSocket) throws(NetworkError) -> Void
    ) throws(NetworkError) -> ProbeSocket {
        let key = Key(member: member, family: family, purpose: purpose)
        if let known = sockets[key] { return known }
        let made = try fresh(member, family, type)
        try prepare(made)
        sockets[key] = made
        return made
    }
}

/// Waits until one of the descriptors is ready, for at most `limit`; returns those that are.
func readyDescriptors(_ wanted: [CInt], for events: CInt, within limit: Span) -> Set<CInt> {
    var entries = wanted.map { pollfd(fd: $0, events: Int16(events), revents: 0) }
    let milliseconds = CInt(clamping: max(0, limit.nanoseconds) / 1_000_000)
    guard poll(&entries, nfds_t(entries.count), milliseconds) > 0 else { return [] }
    return Set(entries.filter { $0.revents != 0 }.map(\.fd))
}
