internal import Basics
internal import Glibc
internal import Process

/// Sends UDP datagrams from one namespace to another, each way by itself: nothing has to come back.
struct DatagramProbe {
    private struct Attempt {
        var index: Int
        var sender: ProbeSocket
        var receiver: ProbeSocket
        var address: SocketAddress
    }

    private static let rounds = 3
    private static let noSignal = CInt(MSG_NOSIGNAL)

    private let attempts: [Attempt]
    /// Tells our datagrams from whatever else may arrive.
    private let nonce = UInt64.random(in: .min ... .max)
    private let time = SystemTimeSource()

    init(
        _ paths: [ProbePath], of members: [NamespaceMember],
        opening open: @escaping (ProcessIdentity) throws(NetworkError) -> NetworkNamespace
    ) throws(NetworkError) {
        var sockets = ProbeSockets(members, opening: open)
        var attempts: [Attempt] = []
        for (index, path) in paths.enumerated() where path.method == .datagram {
            guard let to = path.to else { continue }
            let family = path.address.family
            let receiver = try sockets.shared(to, family, SOCK_DGRAM, "receive") { socket throws(NetworkError) in
                try socket.bindAnywhere(family)
            }
            let sender = try sockets.shared(path.from, family, SOCK_DGRAM, "send") { _ throws(NetworkError) in }
            let address = SocketAddress(path.address.first, family, port: receiver.port)
            attempts.append(Attempt(index: index, sender: sender, receiver: receiver, address: address))
        }
        self.attempts = attempts
    }

    /// The indices of the paths on which a datagram arrived.
    func run(within limit: Span) -> Set<Int> {
        var arrived: Set<Int> = []
        for _ in 0..<Self.rounds where arrived.count < attempts.count {
            for attempt in attempts where !arrived.contains(attempt.index) { send(attempt) }
            let deadline = time.now + .nanoseconds(limit.nanoseconds / Int64(Self.rounds))
            while arrived.count < attempts.count {
                let receivers = attempts.map { $0.receiver.descriptor.number }
                let ready = readyDescriptors(Array(Set(receivers)), for: POLLIN, within: deadline - time.now)
                if ready.isEmpty { break }
                for descriptor in ready { arrived.formUnion(receive(descriptor)) }
            }
        }
        return arrived
    }

    /// A send that fails is a datagram that does not arrive; that is all that is asked here.
    private func send(_ attempt: Attempt) {
        let bytes = hostOrder(nonce) + hostOrder(UInt32(attempt.index))
        _ = attempt.address.with { address, length in
            sendto(attempt.sender.descriptor.number, bytes, bytes.count, Self.noSignal, address, length)
        }
    }

    private func receive(_ descriptor: CInt) -> Set<Int> {
        var arrived: Set<Int> = []
        var buffer = [UInt8](repeating: 0, count: 64)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0 { return arrived }
            guard count == 12, buffer[..<8].elementsEqual(hostOrder(nonce)) else { continue }
            arrived.insert(Int(host32(buffer[8..<12])))
        }
    }
}
