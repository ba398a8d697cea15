internal import Basics
internal import Glibc

/// Asks one name server, past every cache of this machine: by UDP, and by TCP for what a datagram does not hold.
actor RecordClient {
    private nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let server: AddressRange
    private let port: UInt16
    private let time = SystemTimeSource()

    init(_ server: AddressRange, port: UInt16, on loop: EventLoop) {
        self.server = server
        self.port = port
        self.loop = loop
    }

    /// Throws `timeout` when no answer comes before the deadline: one question is one datagram, as a client's first is.
    func ask(
        _ name: DomainName, _ kind: RecordKind, until deadline: Instant
    ) async throws(NetworkError) -> RecordAnswer {
        let question = DNSQuestion(name, type: kind.number, identifier: .random(in: .min ... .max))
        let answer = try await askByDatagram(question, until: deadline)
        return answer.isTruncated ? try await askByConnection(question, until: deadline) : answer
    }

    private func askByDatagram(
        _ question: DNSQuestion, until deadline: Instant
    ) async throws(NetworkError) -> RecordAnswer {
        let socket = try ProbeSocket(here: SOCK_DGRAM, server.family)
        let number = socket.descriptor.number
        // Connected: what comes from elsewhere is not delivered, and a port that nobody listens on is told.
        guard SocketAddress(server.first, server.family, port: port).with({ connect(number, $0, $1) }) == 0 else {
            throw NetworkError("reach the name server \(server)", errno: errno)
        }
        let bytes = question.bytes
        guard send(number, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count else {
            throw NetworkError("ask the name server \(server)", errno: errno)
        }
        while await ready(number, for: .readable, until: deadline, on: loop) {
            var buffer = [UInt8](repeating: 0, count: 65_535)
            let count = recv(number, &buffer, buffer.count, 0)
            if count < 0 {
                if errno == EAGAIN || errno == EINTR { continue }
                throw NetworkError("ask the name server \(server)", errno: errno)
            }
            if let answer = RecordAnswer(Array(buffer[..<count]), to: question) { return answer }
        }
        throw silence
    }

    /// Question and answer stand behind their length (RFC 1035, 4.2.2).
    private func askByConnection(
        _ question: DNSQuestion, until deadline: Instant
    ) async throws(NetworkError) -> RecordAnswer {
        let attempt = ConnectionAttempt(try ProbeSocket(here: SOCK_STREAM, server.family), to: server, port: port)
        if let failure = attempt.failure { throw NetworkError("reach the name server \(server)", errno: failure) }
        guard await ready(attempt.descriptor, for: .writable, until: deadline, on: loop) else { throw silence }
        _ = try attempt.result().get()
        let framed = bigEndian(UInt16(truncatingIfNeeded: question.bytes.count)) + question.bytes
        guard send(attempt.descriptor, framed, framed.count, CInt(MSG_NOSIGNAL)) == framed.count else {
            throw NetworkError("ask the name server \(server)", errno: errno)
        }
        var received: [UInt8] = []
        while await ready(attempt.descriptor, for: .readable, until: deadline, on: loop) {
            var buffer = [UInt8](repeating: 0, count: 16_384)
            let count = recv(attempt.descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            guard count > 0 else {
                throw NetworkError("read the name server's answer", errno: count == 0 ? ECONNRESET : errno)
            }
            received += buffer[..<count]
            guard received.count >= 2 else { continue }
            let length = Int(received[0]) << 8 | Int(received[1])
            guard received.count >= 2 + length else { continue }
            guard let answer = RecordAnswer(Array(received[2..<(2 + length)]), to: question) else {
                throw NetworkError("understand the name server's answer", errno: EBADMSG)
            }
            return answer
        }
        throw silence
    }

    private var silence: NetworkError { NetworkError("hear from the name server \(server)", errno: ETIMEDOUT) }
}
