internal import Basics
internal import CLinux
internal import Glibc

/// Sockets of ours in many namespaces that send each other datagrams and connections, on a thread of its own.
///
/// Nothing runs in the namespaces. One whose process ends is let go at once: our sockets alone would keep it alive.
actor EchoMesh {
    /// A way from one member to another, by their names.
    struct Pair: Hashable, Sendable {
        var from: String
        var to: String
    }

    enum Method: String, Sendable, Hashable, CaseIterable {
        case udp
        case tcp
    }

    /// What became of one pair in one round.
    enum Reply: Hashable, Sendable {
        /// The round trip, without the time that either end needed to notice.
        case answered(Span)
        case silent
        /// The kernel said at once that it cannot be: no route, refused, not permitted.
        case refused(CInt)
        /// One of the two is not there; its name.
        case absent(String)
    }

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    let method: Method
    let families: [AddressFamily]
    private let nonce = UInt64.random(in: .min ... .max)
    private var places: [String: EchoPlace] = [:]
    private var rounds: [UInt64: EchoRound] = [:]
    private var lastRound: UInt64 = 0
    private let time = SystemTimeSource()

    init(_ name: String, method: Method, families: [AddressFamily]) throws(SystemError) {
        loop = try EventLoop(name: name)
        self.method = method
        self.families = families
    }

    deinit {
        loop.stop()
    }

    // MARK: Members

    /// Takes these members in, in place of those before; returns why some could not be, by name.
    func settle(_ members: [NamespaceMember]) -> [String: NetworkError] {
        var failures: [String: NetworkError] = [:]
        // One that has another process, or another address, is another place.
        for (name, place) in places where !members.contains(place.member) { leave(name) }
        for member in members where places[member.name] == nil {
            do throws(NetworkError) {
                try enter(member)
            } catch {
                failures[member.name] = error
            }
        }
        return failures
    }

    private func enter(_ member: NamespaceMember) throws(NetworkError) {
        let place = try EchoPlace(member, method: method, families: families)
        let name = member.name
        try watch(place.hold.ended) { $0.leave(name) }
        places[name] = place
        for (descriptor, role) in place.descriptors {
            try watch(descriptor) { mesh in
                switch role {
                case .receiver: mesh.echo(descriptor)
                case .sender: mesh.collect(descriptor)
                case .listener: EchoPlace.turnAway(descriptor)
                }
            }
        }
    }

    private func leave(_ name: String) {
        guard let place = places.removeValue(forKey: name) else { return }
        loop.unwatch(place.hold.ended)
        for (descriptor, _) in place.descriptors { loop.unwatch(descriptor) }
    }

    private func watch(
        _ descriptor: CInt, for readiness: EventLoop.Readiness = .readable,
        _ handler: @escaping @Sendable (isolated EchoMesh) -> Void
    ) throws(NetworkError) {
        do throws(SystemError) {
            try loop.watch(descriptor, for: readiness) { [weak self] _ in self?.assumeIsolated { handler($0) } }
        } catch {
            throw NetworkError("watch a socket", error)
        }
    }

    /// Lets every namespace go.
    func close() {
        for name in Array(places.keys) { leave(name) }
        for round in rounds.values { finish(round) }
    }

    // MARK: Rounds

    /// Tries every pair once, all at the same time, and waits for answers for at most `limit`.
    func round(_ pairs: [Pair], within limit: Span) async -> [Reply] {
        lastRound += 1
        let round = EchoRound(number: lastRound, pairs: pairs)
        for (index, pair) in pairs.enumerated() { begin(pair, index, round) }
        if round.isComplete { return round.replies }
        rounds[round.number] = round
        let number = round.number
        return await withCheckedContinuation { continuation in
            round.continuation = continuation
            round.timer = loop.schedule(at: time.now + limit) { [weak self] in
                self?.assumeIsolated { mesh in
                    if let round = mesh.rounds[number] { mesh.finish(round) }
                }
            }
        }
    }

    private func begin(_ pair: Pair, _ index: Int, _ round: EchoRound) {
        guard let from = places[pair.from] else { return round.settle(index, .absent(pair.from)) }
        guard let to = places[pair.to] else { return round.settle(index, .absent(pair.to)) }
        let ways = to.addresses(reachableFrom: from)
        if ways.isEmpty { return round.settle(index, .refused(EAFNOSUPPORT)) }
        for (number, address) in ways.enumerated() {
            let failure =
                switch method {
                case .udp: sendDatagram(from, to, address, round, EchoRound.attempt(index, way: number))
                case .tcp: openConnection(from, to, address, round, index)
                }
            round.noteAttempt(index, failure: failure)
        }
    }

    private func finish(_ round: EchoRound) {
        rounds[round.number] = nil
        if let timer = round.timer { loop.cancel(timer) }
        for descriptor in round.connections.keys { loop.unwatch(descriptor) }
        round.end()
    }

    private func settle(_ index: Int, _ reply: Reply, _ round: EchoRound) {
        round.settle(index, reply)
        if round.isComplete, round.continuation != nil { finish(round) }
    }

    // MARK: Datagrams

    /// 0, or the errno of what cannot be sent.
    private func sendDatagram(
        _ from: EchoPlace, _ to: EchoPlace, _ address: AddressRange, _ round: EchoRound, _ attempt: UInt64
    ) -> CInt {
        guard let sender = from.senders[address.family], let receiver = to.receivers[address.family] else {
            return EAFNOSUPPORT
        }
        let target = SocketAddress(address.first, address.family, port: receiver.port)
        let datagram = EchoDatagram(nonce: nonce, round: round.number, attempt: attempt)
        let bytes = datagram.bytes
        round.sent[attempt] = squall_realtime()
        let sent = target.with { sendto(sender.descriptor.number, bytes, bytes.count, CInt(MSG_NOSIGNAL), $0, $1) }
        return sent < 0 ? errno : 0
    }

    /// The other end: says how long the datagram lay there.
    private func echo(_ descriptor: CInt) {
        while let arrival = StampedArrival.receive(descriptor) {
            guard var datagram = EchoDatagram(arrival.message), datagram.nonce == nonce, datagram.held == -1 else {
                continue
            }
            datagram.held = max(0, squall_realtime() - arrival.at)
            arrival.sender.send(datagram.bytes, from: descriptor)
        }
    }

    private func collect(_ descriptor: CInt) {
        while let arrival = StampedArrival.receive(descriptor) {
            guard let datagram = EchoDatagram(arrival.message), datagram.nonce == nonce, datagram.held >= 0,
                let round = rounds[datagram.round], let sent = round.sent[datagram.attempt]
            else { continue }
            let index = EchoRound.pair(of: datagram.attempt)
            // A clock that was set back in between makes nonsense of the difference.
            settle(index, .answered(.nanoseconds(max(0, arrival.at - sent - datagram.held))), round)
        }
    }

    // MARK: Connections

    private func openConnection(
        _ from: EchoPlace, _ to: EchoPlace, _ address: AddressRange, _ round: EchoRound, _ index: Int
    ) -> CInt {
        guard let listener = to.receivers[address.family] else { return EAFNOSUPPORT }
        do throws(NetworkError) {
            let socket = try ProbeSocket(SOCK_STREAM, address.family, in: from.hold.space)
            let attempt = ConnectionAttempt(socket, to: address, port: listener.port, endsWithReset: true)
            if let failure = attempt.failure { return failure }
            let (descriptor, number) = (attempt.descriptor, round.number)
            round.connections[descriptor] = attempt
            try watch(descriptor, for: .writable) { mesh in mesh.proceed(descriptor, number, index) }
            return 0
        } catch {
            return error.errno
        }
    }

    private func proceed(_ descriptor: CInt, _ number: UInt64, _ index: Int) {
        guard let round = rounds[number], let attempt = round.connections.removeValue(forKey: descriptor) else {
            return loop.unwatch(descriptor)
        }
        loop.unwatch(descriptor)
        switch attempt.result() {
        case .success(let span): settle(index, .answered(span), round)
        case .failure(let error):
            round.noteAttempt(index, failure: error.errno, isNew: false)
            if round.isComplete { finish(round) }
        }
    }
}
