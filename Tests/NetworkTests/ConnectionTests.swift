import Basics
import Contracts
import Experiment
import Glibc
import Process
import TestSupport
import Testing

@testable import Network

/// What is said to sock_diag and understood of it, byte by byte.
@Suite struct SocketDiagnosisBytesTests {
    private static let identity: [UInt8] =
        [0x30, 0x39, 0x15, 0x38]  // ports 12345 and 5432, in network order
        + [10, 0, 0, 1] + [UInt8](repeating: 0, count: 12)  // source
        + [10, 0, 0, 2] + [UInt8](repeating: 0, count: 12)  // destination
        + [0, 0, 0, 0] + [1, 2, 3, 4, 5, 6, 7, 8]  // interface, cookie

    private func message(_ payload: [UInt8], type: UInt16 = 20) -> NetlinkReader.Message {
        NetlinkReader.Message(type: type, flags: 0, sequence: 1, payload: payload[...])
    }

    private func answer(family: UInt8 = 2, state: UInt8 = 1, identity: [UInt8] = identity) -> [UInt8] {
        [family, state, 0, 0] + identity + [UInt8](repeating: 0, count: 20)
    }

    @Test func aConnectionIsReadAndItsEndNamesExactlyThisSocket() throws {
        let connection = try #require(SocketDiagnosis.connection(message(answer())))
        #expect(connection.description == "10.0.0.1:12345 - 10.0.0.2:5432")
        #expect(connection.state == .established)
        let batch = try SocketDiagnosis.destruction(of: connection, sequence: 7)
        #expect(
            batch.bytes == [
                72, 0, 0, 0,  // length
                21, 0,  // SOCK_DESTROY
                5, 0,  // NLM_F_REQUEST | NLM_F_ACK
                7, 0, 0, 0, 0, 0, 0, 0,  // sequence, port
                2, 6, 0, 0,  // AF_INET, IPPROTO_TCP, extensions, padding
                2, 0, 0, 0,  // states: 1 << TCP_ESTABLISHED
            ] + Self.identity)
        #expect(batch.last == 7)
    }

    @Test func anIPv6SocketThatSpeaksIPv4IsKnownByItsIPv4Addresses() throws {
        let prefix = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
        let mapped =
            Array(Self.identity[..<4]) + prefix + [10, 0, 0, 1] + prefix + [10, 0, 0, 2]
            + Array(Self.identity[36...])
        let connection = try #require(SocketDiagnosis.connection(message(answer(family: 10, identity: mapped))))
        #expect(connection.description == "10.0.0.1:12345 - 10.0.0.2:5432")
        // It is asked for as what it is.
        let batch = try SocketDiagnosis.destruction(of: connection, sequence: 1)
        #expect(batch.bytes[16] == 10)
        #expect(Array(batch.bytes[24...]) == mapped)
    }

    @Test func whatIsNoConnectionIsLeftOut() {
        #expect(SocketDiagnosis.connection(message(answer(), type: 3)) == nil)
        #expect(SocketDiagnosis.connection(message(answer(state: 10))) == nil)
        #expect(SocketDiagnosis.connection(message(answer(family: 1))) == nil)
        for length in 0..<72 {
            #expect(SocketDiagnosis.connection(message(Array(answer().prefix(length)))) == nil)
        }
    }

    @Test func aFilterTakesEitherEndsPortAndTheOtherEndsAddress() throws {
        let connection = try #require(SocketDiagnosis.connection(message(answer())))
        let peer = try #require(AddressRange(parsing: "10.0.0.2/31"))
        let stranger = try #require(AddressRange(parsing: "10.0.0.1"))
        let postgres = try #require(PortRange(parsing: "5432"))
        let ephemeral = try #require(PortRange(parsing: "12000-13000"))
        let other = try #require(PortRange(parsing: "5433-12344"))
        #expect(ConnectionFilter().matches(connection))
        #expect(ConnectionFilter(remote: [peer], ports: [postgres]).matches(connection))
        #expect(ConnectionFilter(local: [stranger], ports: [ephemeral]).matches(connection))
        #expect(!ConnectionFilter(remote: [stranger]).matches(connection))
        #expect(!ConnectionFilter(ports: [other]).matches(connection))
        #expect(!ConnectionFilter(states: [.synSent]).matches(connection))
        #expect(ConnectionFilter(remote: [peer], ports: [postgres]).summary == "with 10.0.0.2-10.0.0.3 port 5432")
    }
}

/// Real connections between two namespaces, ended from outside of both.
@Suite(.enabled(if: isRoot, needsRoot)) struct ConnectionKillTests {
    let fixture: BlockFixture

    init() throws {
        fixture = try BlockFixture()
    }

    /// The errno that a read gives, or nil while the connection lives.
    private func failure(_ descriptor: CInt) -> CInt? {
        guard !readyDescriptors([descriptor], for: POLLIN, within: .seconds(1)).isEmpty else { return nil }
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) < 0 ? errno : 0
    }

    private static let versions: [(AddressFamily, String)] = [
        (.version4, TestPair.address4.b), (.version6, TestPair.address6.b),
    ]

    @Test(arguments: versions)
    func bothEndsLoseItAtOnce(family: AddressFamily, address: String) async throws {
        let connection = try TestConnection(fixture.pair, family, to: address)
        let process = try fixture.identity(fixture.pair.a)
        let filter = ConnectionFilter(ports: [try #require(PortRange(parsing: "\(connection.port)"))])
        let found = try await fixture.kernel.connections(filter, of: process)
        #expect(
            found.map(\.remote.description) == [
                family == .version4 ? "\(address):\(connection.port)" : "[\(address)]:\(connection.port)"
            ])
        #expect(try await fixture.kernel.endConnections(filter, of: process) == found)
        #expect(failure(connection.client.descriptor.number) == ECONNABORTED)
        #expect(failure(connection.server.number) == ECONNRESET)
        #expect(try await fixture.kernel.connections(filter, of: process) == [])
        // Again: there is nothing left to end, and that is no error.
        #expect(try await fixture.kernel.endConnections(filter, of: process) == [])
    }

    @Test func anIPv6SocketThatSpeaksIPv4IsEndedByItsIPv4Address() async throws {
        let connection = try TestConnection(fixture.pair, .version6, to: "::ffff:\(TestPair.address4.b)")
        let process = try fixture.identity(fixture.pair.b)
        let peer = try #require(AddressRange(parsing: TestPair.address4.a))
        let ended = try await fixture.kernel.endConnections(ConnectionFilter(remote: [peer]), of: process)
        #expect(ended.map(\.local.description) == ["\(TestPair.address4.b):\(connection.port)"])
        #expect(failure(connection.server.number) == ECONNABORTED)
        #expect(failure(connection.client.descriptor.number) == ECONNRESET)
    }

    @Test func otherConnectionsAndTheListenerLiveOn() async throws {
        let meant = try TestConnection(fixture.pair, .version4, to: TestPair.address4.b)
        let other = try TestConnection(fixture.pair, .version4, to: TestPair.address4.b)
        let process = try fixture.identity(fixture.pair.b)
        let filter = ConnectionFilter(ports: [try #require(PortRange(parsing: "\(meant.port)"))])
        #expect(try await fixture.kernel.endConnections(filter, of: process).count == 1)
        other.send(5, from: other.client.descriptor.number)
        #expect(other.receive(other.server.number, within: .seconds(1))?.byte == 5)
        // Whoever connects to the same port again is served.
        #expect(try meant.connectAgain(fixture.pair) != nil)
    }

    @Test func aHandshakeThatNobodyAnswersIsEndedToo() async throws {
        let block = try await fixture.block(intoA: false)
        try await fixture.install(block)
        let socket = try ProbeSocket(SOCK_STREAM, .version4, in: try fixture.pair.a.open())
        let address = try #require(AddressRange(parsing: TestPair.address4.b))
        _ = SocketAddress(address.first, .version4, port: 9).with { connect(socket.descriptor.number, $0, $1) }
        let process = try fixture.identity(fixture.pair.a)
        let ended = try await fixture.kernel.endConnections(ConnectionFilter(), of: process)
        #expect(ended.map(\.state) == [.synSent])
        #expect(failure(socket.descriptor.number) == ECONNABORTED)
        await fixture.kernel.release(block.mark)
    }

    @Test func connectionsOfTheNamespaceWithItselfAreLeftAloneUnlessMeant() async throws {
        let inner = try TestConnection(fixture.pair, .version4, to: "127.0.0.1", from: \.b)
        let process = try fixture.identity(fixture.pair.b)
        #expect(try await fixture.kernel.endConnections(ConnectionFilter(), of: process) == [])
        let ended = try await fixture.kernel.endConnections(ConnectionFilter(includesLoopback: true), of: process)
        // The reset of the first end may have ended the second before its turn came.
        #expect((1...2).contains(ended.count))
        #expect(failure(inner.server.number) != nil)
    }

    private func member(_ name: String, _ space: TestNamespace) async throws -> NamespaceMember {
        let facts = try await fixture.kernel.look(at: try fixture.identity(space))
        return NamespaceMember(
            name: name, process: try fixture.identity(space), namespace: facts.identity, addresses: facts.addresses)
    }

    private func inject(_ undo: KillConnectionsFault.Undo) async throws -> Effect {
        var services = Services()
        services.register(fixture.kernel, as: (any NetworkKernel).self)
        let context = SystemContext(
            time: SystemTimeSource(), services: services, secrets: .empty, run: "t", record: { _ in })
        var diagnostics = Diagnostics()
        let nothing = Node.mapping(.init([], at: Location(file: "t", line: 1, column: 1)))
        let fault = try #require(
            ParameterReader.read(nothing, KillConnectionsFault.parameters, into: &diagnostics) {
                KillConnectionsFault(from: &$0)
            })
        return try await fault.inject(undo, in: context)
    }

    /// As `between` selects them: of a, b has many connections, and only those with the other side are meant.
    @Test(arguments: versions)
    func betweenTwoOnlyTheirOwnConnectionsAreEnded(family: AddressFamily, address: String) async throws {
        let (a, b) = (try await member("a", fixture.pair.a), try await member("b", fixture.pair.b))
        let meant = try TestConnection(fixture.pair, family, to: address)
        // Somebody else on the same cable, whose address belongs to neither side.
        try fixture.pair.a.run("ip", "addr", "add", "10.9.0.9/24", "dev", "eth0")
        try fixture.pair.a.run("ip", "addr", "add", "fd09::9/64", "dev", "eth0", "nodad")
        let other = try TestConnection(
            fixture.pair, family, to: address, bound: family == .version4 ? "10.9.0.9" : "fd09::9")
        let undo = KillConnectionsFault.Undo(target: "b | a", members: [b], peers: a.addresses)
        guard case .confirmed(_, let evidence) = try await inject(undo) else {
            Issue.record("nothing was ended")
            return
        }
        #expect(evidence.hasPrefix("1 connection ended and gone from the kernel's list"), "\(evidence)")
        #expect(failure(meant.server.number) == ECONNABORTED)
        #expect(failure(meant.client.descriptor.number) == ECONNRESET)
        other.send(5, from: other.client.descriptor.number)
        #expect(other.receive(other.server.number, within: .seconds(1))?.byte == 5)
        guard case .unproven(let reason) = try await inject(undo) else {
            Issue.record("there was nothing left to end")
            return
        }
        #expect(reason == "b | a had no TCP connection that could be ended")
        // Without sides whoever it is with is meant; of two containers the one without any is named.
        let space = try TestNamespace()
        let stranger = try await member("c", space)
        guard case .confirmed(_, let all) = try await inject(.init(target: "b", members: [b, stranger])) else {
            Issue.record("the other connection was not ended")
            return
        }
        #expect(all.hasPrefix("1 connection ended") && all.hasSuffix("; c had none"), "\(all)")
        #expect(failure(other.server.number) == ECONNABORTED)
    }

    @Test func whetherTheKernelCanIsAskedWithoutEndingAnything() async throws {
        let connection = try TestConnection(fixture.pair, .version4, to: TestPair.address4.b)
        try await fixture.kernel.checkConnectionsCanBeEnded(of: try fixture.identity(fixture.pair.b))
        connection.send(5, from: connection.client.descriptor.number)
        #expect(connection.receive(connection.server.number, within: .seconds(1))?.byte == 5)
    }
}
