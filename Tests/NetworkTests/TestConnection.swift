import Basics
import Glibc
import Testing

@testable import Network

/// A TCP connection from `a` to `b` of a pair, held at both ends, with its listener.
final class TestConnection {
    let client: ProbeSocket
    let server: Descriptor
    let port: UInt16
    private let listener: ProbeSocket
    private let target: SocketAddress

    /// - Parameter own: the client's own address, when it has several.
    init(
        _ pair: TestPair, _ family: AddressFamily, to text: String, from side: KeyPath<TestPair, TestNamespace> = \.a,
        bound own: String? = nil
    ) throws {
        let listener = try ProbeSocket(SOCK_STREAM, family, in: try pair.b.open())
        try listener.bindAnywhere(family)
        listen(listener.descriptor.number, 4)
        let client = try ProbeSocket(SOCK_STREAM, family, in: try pair[keyPath: side].open())
        if let own = own.flatMap({ AddressRange(parsing: $0) }) {
            let place = SocketAddress(own.first, family, port: 0)
            try #require(place.with { bind(client.descriptor.number, $0, $1) } == 0)
        }
        let address = try #require(AddressRange(parsing: text))
        target = SocketAddress(address.first, family, port: listener.port)
        _ = target.with { connect(client.descriptor.number, $0, $1) }
        try #require(!readyDescriptors([listener.descriptor.number], for: POLLIN, within: .seconds(2)).isEmpty)
        let accepted = accept(listener.descriptor.number, nil, nil)
        try #require(accepted >= 0)
        self.client = client
        self.listener = listener
        server = Descriptor(owning: accepted)
        port = listener.port
    }

    /// Another client of the same listener; nil when it is not answered.
    func connectAgain(_ pair: TestPair) throws -> ProbeSocket? {
        let again = try ProbeSocket(SOCK_STREAM, .version4, in: try pair.a.open())
        _ = target.with { connect(again.descriptor.number, $0, $1) }
        return readyDescriptors([listener.descriptor.number], for: POLLIN, within: .seconds(2)).isEmpty ? nil : again
    }

    func send(_ byte: UInt8, from descriptor: CInt) { _ = Glibc.send(descriptor, [byte], 1, CInt(MSG_NOSIGNAL)) }

    /// The byte that arrives, or the errno of the read, or nil when nothing comes in time.
    func receive(_ descriptor: CInt, within limit: Span) -> (byte: UInt8, errno: CInt)? {
        guard !readyDescriptors([descriptor], for: POLLIN, within: limit).isEmpty else { return nil }
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, 0)
        return (byte, count < 0 ? errno : 0)
    }
}
