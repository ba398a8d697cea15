internal import Basics
internal import CLinux
internal import Glibc

/// A name server of ours in a container's namespace: it answers what the rule is about, and hands everything else on to
/// the server that was asked.
///
/// One per server of the container, so that it is known whom a redirected query was for. Runs on a thread of its own.
actor NameProxy {
    /// How many queries may wait for their answers, and how many connections may be open: a container that asks more
    /// must not fill our memory. What is beyond is lost, as in any full queue.
    static let mostPending = 4_096
    static let mostConnections = 128
    /// Longer than any client waits (glibc: 5 s).
    static let patience = Span.seconds(10)
    /// By this mark the redirecting rule knows our own queries.
    static let mark: UInt32 = 0x5371_756c

    /// Where redirected queries must be sent.
    struct Ports: Sendable, Hashable {
        var udp: UInt16
        var tcp: UInt16
    }

    private struct Pending {
        var client: ClientAddress
        var identifier: UInt16
        var deadline: Instant
    }

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    nonisolated let resolver: AddressRange
    nonisolated let ports: Ports

    private let rule: NameRule
    private let space: NetworkNamespace
    private let datagrams: ProbeSocket
    private let listener: ProbeSocket
    private nonisolated let datagramDescriptor: CInt
    private nonisolated let listenerDescriptor: CInt
    private let time = SystemTimeSource()
    private var upstream: (socket: ProbeSocket, since: Instant)?
    private var pending: [UInt16: Pending] = [:]
    private var delayed = 0
    private var connections: [UInt64: NameConnection] = [:]
    private var lastConnection: UInt64 = 0
    private var isStopped = false
    /// Queries that the rule decided about.
    private(set) var struck = 0

    /// Opens the sockets on the namespace's loopback; serves from `start` on.
    init(
        for resolver: AddressRange, rule: NameRule, in space: consuming NetworkNamespace, on loop: EventLoop
    ) throws(NetworkError) {
        let family = resolver.family
        datagrams = try ProbeSocket(SOCK_DGRAM, family, in: space)
        listener = try ProbeSocket(SOCK_STREAM, family, in: space)
        try datagrams.bindToLoopback(family)
        try listener.bindToLoopback(family)
        guard listen(listener.descriptor.number, 64) == 0 else { throw NetworkError("listen", errno: errno) }
        ports = Ports(udp: datagrams.port, tcp: listener.port)
        datagramDescriptor = datagrams.descriptor.number
        listenerDescriptor = listener.descriptor.number
        self.resolver = resolver
        self.rule = rule
        self.space = space
        self.loop = loop
    }

    /// May be called on any thread.
    nonisolated func start() throws(NetworkError) {
        try watch(datagramDescriptor, for: .readable) { $0.receiveQueries() }
        try watch(listenerDescriptor, for: .readable) { $0.acceptConnections() }
    }

    /// Nothing is answered any more; the sockets are closed with the last reference. On the loop's thread.
    nonisolated func stop() { assumeIsolated { $0.end() } }

    private func end() {
        isStopped = true
        loop.unwatch(datagrams.descriptor.number)
        loop.unwatch(listener.descriptor.number)
        if let upstream { loop.unwatch(upstream.socket.descriptor.number) }
        upstream = nil
        for connection in connections.values { close(connection) }
        pending = [:]
    }

    private nonisolated func watch(
        _ descriptor: CInt, for readiness: EventLoop.Readiness,
        _ handler: @escaping @Sendable (isolated NameProxy) -> Void
    ) throws(NetworkError) {
        do throws(SystemError) {
            try loop.watch(descriptor, for: readiness) { [weak self] _ in self?.assumeIsolated { handler($0) } }
        } catch {
            throw NetworkError("watch a socket", error)
        }
    }

    private func later(_ span: Span, _ body: @escaping @Sendable (isolated NameProxy) -> Void) {
        loop.schedule(at: time.now + span) { [weak self] in self?.assumeIsolated { body($0) } }
    }

    private func decide(_ query: [UInt8]) -> NameRule.Decision {
        let decision = rule.decide(query)
        if decision != .pass { struck += 1 }
        return decision
    }

    // MARK: Datagrams

    /// At most this many in a row: other sockets of the loop wait meanwhile.
    private static let burst = 64

    private func receiveQueries() {
        for _ in 0..<Self.burst {
            guard let (query, client) = ClientAddress.receive(datagrams.descriptor.number) else { return }
            switch decide(query) {
            case .pass: forward(query, for: client)
            case .passLater(let span):
                guard delayed < Self.mostPending else { continue }
                delayed += 1
                later(span) { proxy in
                    proxy.delayed -= 1
                    proxy.forward(query, for: client)
                }
            case .ignore: continue
            case .answer(let answer): client.send(answer, from: datagrams.descriptor.number)
            }
        }
    }

    /// Sends it on under a number of ours: two clients may have chosen the same one.
    private func forward(_ query: [UInt8], for client: ClientAddress) {
        guard !isStopped, query.count >= DNSHeader.length, let socket = upstreamSocket(), let number = freeNumber()
        else {
            return
        }
        let identifier = UInt16(query[0]) << 8 | UInt16(query[1])
        pending[number] = Pending(client: client, identifier: identifier, deadline: time.now + Self.patience)
        let renumbered = bigEndian(number) + query[2...]
        if send(socket.descriptor.number, renumbered, renumbered.count, CInt(MSG_NOSIGNAL)) < 0 {
            pending[number] = nil
            dropUpstream()
        }
    }

    private func freeNumber() -> UInt16? {
        if pending.count >= Self.mostPending {
            let now = time.now
            pending = pending.filter { $0.value.deadline > now }
            guard pending.count < Self.mostPending else { return nil }
        }
        while true {
            let number = UInt16.random(in: .min ... .max)
            if pending[number] == nil { return number }
        }
    }

    /// A fresh socket now and then: the kernel remembers per socket where Docker's resolver was when it first spoke.
    private func upstreamSocket() -> ProbeSocket? {
        if let upstream, time.now - upstream.since < .seconds(5) || !pending.isEmpty { return upstream.socket }
        dropUpstream()
        do throws(NetworkError) {
            let socket = try connectUpstream(SOCK_DGRAM)
            try watch(socket.descriptor.number, for: .readable) { $0.receiveAnswers() }
            upstream = (socket, time.now)
            return socket
        } catch {
            // Without a socket the query is lost, as it is when the server does not answer.
            return nil
        }
    }

    private func dropUpstream() {
        if let upstream { loop.unwatch(upstream.socket.descriptor.number) }
        upstream = nil
        pending = [:]
    }

    private func receiveAnswers() {
        guard let socket = upstream?.socket.descriptor.number else { return }
        var buffer = [UInt8](repeating: 0, count: 65_535)
        for _ in 0..<Self.burst {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count < 0 {
                // ECONNREFUSED: nobody listens there (any more). The next query tries a new socket.
                if errno != EAGAIN, errno != EINTR { dropUpstream() }
                return
            }
            guard count >= DNSHeader.length,
                let waiting = pending.removeValue(forKey: UInt16(buffer[0]) << 8 | UInt16(buffer[1]))
            else { continue }
            waiting.client.send(bigEndian(waiting.identifier) + buffer[2..<count], from: datagrams.descriptor.number)
        }
    }

    /// A socket on its way to the real server, past our own rule.
    private func connectUpstream(_ type: __socket_type) throws(NetworkError) -> ProbeSocket {
        let socket = try ProbeSocket(type, resolver.family, in: space)
        var mark = Self.mark
        guard
            setsockopt(socket.descriptor.number, SOL_SOCKET, SO_MARK, &mark, socklen_t(MemoryLayout<UInt32>.size)) == 0
        else { throw NetworkError("mark a socket", errno: errno) }
        let address = SocketAddress(resolver.first, resolver.family, port: 53)
        let result = address.with { connect(socket.descriptor.number, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else { throw NetworkError("reach the name server", errno: errno) }
        return socket
    }

    // MARK: Connections

    private func acceptConnections() {
        for _ in 0..<Self.burst {
            let accepted = squall_accept(listener.descriptor.number)
            if accepted < 0 { return }
            let client = Descriptor(owning: accepted)
            guard connections.count < Self.mostConnections else { continue }
            lastConnection += 1
            let connection = NameConnection(client, number: lastConnection)
            let number = connection.number
            connections[number] = connection
            later(Self.patience * 3) { $0.close(number) }
            update(connection)
        }
    }

    private func close(_ number: UInt64) {
        if let connection = connections[number] { close(connection) }
    }

    private func close(_ connection: NameConnection) {
        for stream in connection.streams { loop.unwatch(stream.descriptor.number) }
        connections[connection.number] = nil
    }

    /// Waits for what the connection now waits for, or ends it.
    private func update(_ connection: NameConnection) {
        guard !connection.isOver else { return close(connection) }
        let number = connection.number
        for stream in connection.streams {
            do throws(NetworkError) {
                let descriptor = stream.descriptor.number
                try watch(descriptor, for: stream.wanted) { $0.proceed(number, descriptor) }
            } catch {
                return close(connection)
            }
        }
    }

    private func proceed(_ number: UInt64, _ descriptor: CInt) {
        guard let connection = connections[number] else { return }
        for query in connection.proceed(descriptor) {
            switch decide(query) {
            case .pass: relay(query, connection)
            case .passLater(let span):
                later(span) { proxy in
                    guard let connection = proxy.connections[number] else { return }
                    proxy.relay(query, connection)
                    proxy.update(connection)
                }
            case .ignore: continue
            case .answer(let answer): connection.client.queue(framed: answer)
            }
        }
        update(connection)
    }

    private func relay(_ query: [UInt8], _ connection: NameConnection) {
        if connection.server == nil {
            do throws(NetworkError) {
                connection.server = NameStream(try connectUpstream(SOCK_STREAM))
            } catch {
                connection.isOver = true
                return
            }
        }
        connection.server?.queue(framed: query)
    }
}
