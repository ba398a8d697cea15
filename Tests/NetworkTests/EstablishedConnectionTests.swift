import Basics
import Contracts
import Glibc
import Process
import Testing

@testable import Network

/// What a block does to a TCP connection that is there when it comes.
@Suite(.enabled(if: isRoot, needsRoot)) struct EstablishedConnectionTests {
    let fixture: BlockFixture

    init() throws {
        fixture = try BlockFixture()
    }

    /// A connection from `a` to `b`, held at both ends.
    private final class Connection {
        let client: ProbeSocket
        let server: Descriptor

        init(_ pair: TestPair, _ family: AddressFamily, to text: String) throws {
            let listener = try ProbeSocket(SOCK_STREAM, family, in: try pair.b.open())
            try listener.bindAnywhere(family)
            listen(listener.descriptor.number, 4)
            let client = try ProbeSocket(SOCK_STREAM, family, in: try pair.a.open())
            let address = try #require(AddressRange(parsing: text))
            let target = SocketAddress(address.first, family, port: listener.port)
            _ = target.with { connect(client.descriptor.number, $0, $1) }
            try #require(!readyDescriptors([listener.descriptor.number], for: POLLIN, within: .seconds(2)).isEmpty)
            let accepted = accept(listener.descriptor.number, nil, nil)
            try #require(accepted >= 0)
            self.client = client
            server = Descriptor(owning: accepted)
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

    private static let versions = [
        (AddressFamily.version4, TestPair.address4.b), (.version6, TestPair.address6.b),
    ]

    @Test(arguments: versions)
    func aDropStallsItAndAfterTheHealItGoesOn(family: AddressFamily, address: String) async throws {
        let block = try await fixture.block()
        let connection = try Connection(fixture.pair, family, to: address)
        let (client, server) = (connection.client.descriptor.number, connection.server.number)
        connection.send(1, from: client)
        #expect(connection.receive(server, within: .seconds(1))?.byte == 1)
        try await fixture.install(block)
        connection.send(2, from: client)
        #expect(connection.receive(server, within: .milliseconds(600)) == nil)
        await fixture.kernel.release(block.mark)
        // TCP's own retransmission: after 600 ms of silence the next comes within the second.
        #expect(connection.receive(server, within: .seconds(2))?.byte == 2)
    }

    @Test(arguments: versions)
    func aResetBreaksItAtBothEndsAtOnce(family: AddressFamily, address: String) async throws {
        let block = try await fixture.block(mode: .rejectTCP)
        let connection = try Connection(fixture.pair, family, to: address)
        let (client, server) = (connection.client.descriptor.number, connection.server.number)
        try await fixture.install(block)
        let time = SystemTimeSource()
        let start = time.now
        // Both ends speak before either has heard of it.
        connection.send(1, from: client)
        connection.send(1, from: server)
        #expect(connection.receive(client, within: .seconds(1))?.errno == ECONNRESET)
        #expect(connection.receive(server, within: .seconds(1))?.errno == ECONNRESET)
        #expect(time.now - start < .milliseconds(200))
        await fixture.kernel.release(block.mark)
    }

    @Test(arguments: versions)
    func killEstablishedEndsItAtBothEndsBeforeTheCut(family: AddressFamily, address: String) async throws {
        let block = try await fixture.block()
        let connection = try Connection(fixture.pair, family, to: address)
        let (client, server) = (connection.client.descriptor.number, connection.server.number)
        let undo = PartitionUndo(target: "t", block: block, layout: "a | b", seed: nil, owner: getpid())
        let context = SystemContext(
            time: SystemTimeSource(), services: Services(), secrets: .empty, run: "t", record: { _ in })
        _ = try await undo.begin("network.partition", killing: true, fixture.kernel, in: context)
        // Nobody has to speak to learn of it. Under a drop alone, both ends would wait for minutes.
        for end in [client, server] {
            let failure = connection.receive(end, within: .seconds(1))?.errno
            #expect(failure == ECONNABORTED || failure == ECONNRESET, "\(String(describing: failure))")
        }
        #expect(try await fixture.open(block, .connection) == [])
        await fixture.kernel.release(block.mark)
    }
}
