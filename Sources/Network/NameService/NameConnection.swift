internal import Basics
internal import Glibc

/// A client's TCP connection to a `NameProxy`, with the one to the real server once something was passed on to it.
///
/// Used on the proxy's thread only. Queries and answers stand behind their length (RFC 1035, 4.2.2).
final class NameConnection {
    /// Names it among the proxy's connections: never given again.
    let number: UInt64
    let client: NameStream
    var server: NameStream?
    var isOver = false
    private var incoming: [UInt8] = []

    init(_ client: consuming Descriptor, number: UInt64) {
        self.number = number
        self.client = NameStream(client)
    }

    var streams: [NameStream] { [client] + (server.map { [$0] } ?? []) }

    /// Reads and writes what can be on one of the two sockets; returns the queries that are complete by now.
    func proceed(_ descriptor: CInt) -> [[UInt8]] {
        guard descriptor == client.descriptor.number else {
            relayAnswers()
            return []
        }
        client.flush()
        guard let bytes = client.read() else {
            isOver = true
            return []
        }
        incoming += bytes
        if client.isBroken { isOver = true }
        return completeQueries()
    }

    private func completeQueries() -> [[UInt8]] {
        var queries: [[UInt8]] = []
        while incoming.count >= 2 {
            let length = Int(incoming[0]) << 8 | Int(incoming[1])
            guard incoming.count >= 2 + length else { break }
            queries.append(Array(incoming[2..<(2 + length)]))
            incoming.removeFirst(2 + length)
        }
        return queries
    }

    /// Answers of the server go on as they are.
    private func relayAnswers() {
        guard let server else { return }
        server.flush()
        guard let bytes = server.read(), !server.isBroken else {
            isOver = true
            return
        }
        client.queue(bytes)
        if client.isBroken { isOver = true }
    }
}

/// One socket that never blocks, and the bytes that wait to be sent on it.
final class NameStream {
    /// A client that asks and never reads what it asked for is cut off here.
    private static let mostWaiting = 1 << 20
    private static let noSignal = CInt(MSG_NOSIGNAL)

    let descriptor: Descriptor
    private var waiting: [UInt8] = []
    private(set) var isBroken = false
    /// Not connected yet: the first readiness to write tells.
    private var isConnecting: Bool

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
        isConnecting = false
    }

    /// Takes over a socket whose connection is being made.
    init(_ socket: consuming ProbeSocket) {
        let copy = fcntl(socket.descriptor.number, F_DUPFD_CLOEXEC, 3)
        descriptor = Descriptor(owning: copy)
        isConnecting = true
        if copy < 0 { isBroken = true }
    }

    var wanted: EventLoop.Readiness { waiting.isEmpty ? .readable : [.readable, .writable] }

    func queue(framed message: [UInt8]) { queue(bigEndian(UInt16(truncatingIfNeeded: message.count)) + message) }

    func queue(_ bytes: [UInt8]) {
        waiting += bytes
        if waiting.count > Self.mostWaiting { isBroken = true }
        if !isConnecting { flush() }
    }

    func flush() {
        isConnecting = false
        while !waiting.isEmpty {
            let count = send(descriptor.number, waiting, waiting.count, Self.noSignal)
            guard count > 0 else {
                if errno == EAGAIN || errno == ENOTCONN { return }
                isBroken = true
                return
            }
            waiting.removeFirst(count)
        }
    }

    /// What has arrived, perhaps nothing; nil when the other end is done or gone.
    func read() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = recv(descriptor.number, &buffer, buffer.count, 0)
        if count > 0 { return Array(buffer[..<count]) }
        return count < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN) ? [] : nil
    }
}
