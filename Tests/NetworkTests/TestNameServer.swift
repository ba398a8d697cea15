import Basics
import CLinux
import Glibc
import Synchronization
import Testing

@testable import Network

/// A name server in a namespace of a test: it answers every query with the same address, over UDP and TCP, and counts.
final class TestNameServer {
    static let address = "10.1.1.1"

    private let loop: EventLoop
    private var sockets: [ProbeSocket] = []
    private let core = Core()

    /// Names that it was asked for since the last look, in their order.
    var questions: [String] {
        core.asked.withLock { list in
            defer { list = [] }
            return list
        }
    }

    init(in space: TestNamespace, at addresses: [String]) throws {
        loop = try EventLoop(name: "test-names")
        for text in addresses {
            let address = try #require(AddressRange(parsing: text))
            for type in [SOCK_DGRAM, SOCK_STREAM] {
                let socket = try ProbeSocket(type, address.family, in: try space.open())
                let number = socket.descriptor.number
                let place = SocketAddress(address.first, address.family, port: 53)
                try #require(place.with { Glibc.bind(number, $0, $1) } == 0)
                if type == SOCK_STREAM { try #require(listen(number, 8) == 0) }
                sockets.append(socket)
                let core = core
                try loop.watch(number, for: .readable) { _ in
                    type == SOCK_DGRAM ? core.answer(number) : core.accept(number)
                }
            }
        }
    }

    deinit {
        loop.stop()
    }

    private final class Core: Sendable {
        let asked = Mutex<[String]>([])

        func answer(_ socket: CInt) {
            while let (query, client) = ClientAddress.receive(socket) {
                if let answer = reply(to: query) { client.send(answer, from: socket) }
            }
        }

        private func reply(to query: [UInt8]) -> [UInt8]? {
            guard let question = DNSQuestion(query), let address = AddressRange(parsing: TestNameServer.address) else {
                return nil
            }
            asked.withLock { $0.append(question.name.description) }
            return DNSAnswer(.success, [address]).message(to: question)
        }

        func accept(_ listener: CInt) {
            let number = squall_accept(listener)
            guard number >= 0 else { return }
            let connection = Descriptor(owning: number)
            // One query per connection, and it arrives soon, be it in pieces.
            var query: [UInt8] = []
            while query.count < 2 || query.count < 2 + Int(query[1]) {
                guard !readyDescriptors([number], for: POLLIN, within: .milliseconds(500)).isEmpty else { return }
                var buffer = [UInt8](repeating: 0, count: 4_096)
                let count = recv(connection.number, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                query += buffer[..<count]
            }
            guard let answer = reply(to: Array(query[2...])) else { return }
            let framed = bigEndian(UInt16(answer.count)) + answer
            _ = send(connection.number, framed, framed.count, CInt(MSG_NOSIGNAL))
        }
    }
}
