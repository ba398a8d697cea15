internal import Basics
internal import Glibc
internal import Process

/// Opens TCP connections from one namespace to an address, to a listener of ours or to the target's own service.
struct ConnectionProbe {
    private struct Attempt {
        var index: Int
        var socket: ProbeSocket
        var address: SocketAddress
        /// A port on which nobody listens answers, too: the host is reached.
        var refusalCounts: Bool
    }

    private let attempts: [Attempt]
    /// Keeps our listeners open.
    private let sockets: ProbeSockets
    private let time = SystemTimeSource()

    init(
        _ paths: [ProbePath], of members: [NamespaceMember],
        opening open: @escaping (ProcessIdentity) throws(NetworkError) -> NetworkNamespace
    ) throws(NetworkError) {
        var sockets = ProbeSockets(members, opening: open)
        var attempts: [Attempt] = []
        for (index, path) in paths.enumerated() {
            let family = path.address.family
            let port: UInt16
            switch (path.method, path.to) {
            case (.datagram, _), (.outgoing, _), (.connection, nil): continue
            case (.answer(let number), _), (.service(let number), _): port = number
            case (.connection, .some(let to)):
                port = try sockets.shared(to, family, SOCK_STREAM, "listen") { socket throws(NetworkError) in
                    try socket.bindAnywhere(family)
                    guard listen(socket.descriptor.number, 64) == 0 else { throw NetworkError("listen", errno: errno) }
                }.port
            }
            let socket = try sockets.fresh(path.from, family, SOCK_STREAM)
            var refusalCounts = false
            if case .answer = path.method { refusalCounts = true }
            attempts.append(
                Attempt(
                    index: index, socket: socket, address: SocketAddress(path.address.first, family, port: port),
                    refusalCounts: refusalCounts))
        }
        self.attempts = attempts
        self.sockets = sockets
    }

    /// The indices of the paths on which somebody answered.
    func run(within limit: Span) -> Set<Int> {
        var answered: Set<Int> = []
        var waiting: [CInt: Attempt] = [:]
        for attempt in attempts {
            let result = attempt.address.with { connect(attempt.socket.descriptor.number, $0, $1) }
            let failure = result == 0 ? 0 : errno
            if failure == EINPROGRESS {
                waiting[attempt.socket.descriptor.number] = attempt
            } else if counts(failure, attempt) {
                answered.insert(attempt.index)
            }
        }
        let deadline = time.now + limit
        while !waiting.isEmpty {
            let ready = readyDescriptors(Array(waiting.keys), for: POLLOUT, within: deadline - time.now)
            if ready.isEmpty { break }
            for descriptor in ready {
                guard let attempt = waiting.removeValue(forKey: descriptor) else { continue }
                if counts(failure(of: descriptor), attempt) { answered.insert(attempt.index) }
            }
        }
        return answered
    }

    private func counts(_ failure: CInt, _ attempt: Attempt) -> Bool {
        failure == 0 || (failure == ECONNREFUSED && attempt.refusalCounts)
    }

    private func failure(of descriptor: CInt) -> CInt {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &value, &length) == 0 ? value : errno
    }
}
