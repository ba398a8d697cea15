import Basics
import Contracts
import Glibc
import Process
import TestSupport
import Testing

@testable import Network

/// Packets of the probes between two namespaces on a cable.
@Suite(.enabled(if: isRoot, needsRoot)) struct EchoMeshTests {
    let fixture: BlockFixture

    init() throws {
        fixture = try BlockFixture()
    }

    private func members() async throws -> [NamespaceMember] {
        try await fixture.block().members
    }

    private static let pairs = [EchoMesh.Pair(from: "a", to: "b"), EchoMesh.Pair(from: "b", to: "a")]
    private static let limit = Span.milliseconds(400)

    private func mesh(
        _ method: EchoMesh.Method, _ families: [AddressFamily] = AddressFamily.allCases
    ) async throws -> EchoMesh {
        let mesh = try EchoMesh("test-echo", method: method, families: families)
        #expect(await mesh.settle(try await members()) == [:])
        return mesh
    }

    private func answered(_ replies: [EchoMesh.Reply]) -> [Span] {
        replies.compactMap { if case .answered(let span) = $0 { span } else { nil } }
    }

    @Test(arguments: EchoMesh.Method.allCases, [[AddressFamily.version4], [.version6], AddressFamily.allCases])
    func everyPairIsAnsweredUntilItIsBlockedAndAgainAfterwards(
        method: EchoMesh.Method, families: [AddressFamily]
    ) async throws {
        let mesh = try await mesh(method, families)
        let spans = answered(await mesh.round(Self.pairs, within: .seconds(5)))
        #expect(spans.count == 2)
        // A cable without a delay; the kernel's own stamps leave our lateness out even on a busy machine.
        #expect(spans.allSatisfy { $0 < .milliseconds(50) }, "\(spans)")
        let block = try await fixture.block()
        try await fixture.install(block)
        #expect(await mesh.round(Self.pairs, within: Self.limit) == [.silent, .silent])
        await fixture.kernel.release(block.mark)
        #expect(answered(await mesh.round(Self.pairs, within: .seconds(5))).count == 2)
        await mesh.close()
    }

    @Test func aResetAndAMissingVersionAreToldApartFromSilence() async throws {
        let block = try await fixture.block(mode: .rejectTCP)
        let mesh = try await mesh(.tcp)
        try await fixture.install(block)
        let replies = await mesh.round(Self.pairs, within: .seconds(5))
        #expect(replies == [.refused(ECONNREFUSED), .refused(ECONNREFUSED)])
        await fixture.kernel.release(block.mark)
        var strange = try await members()
        strange[1].addresses = strange[1].addresses.filter { $0.family == .version6 }
        strange[0].addresses = strange[0].addresses.filter { $0.family == .version4 }
        let apart = try EchoMesh("test-echo", method: .udp, families: AddressFamily.allCases)
        _ = await apart.settle(strange)
        #expect(await apart.round([Self.pairs[0]], within: Self.limit) == [.refused(EAFNOSUPPORT)])
    }

    @Test func oneAddressThatAnswersIsEnough() async throws {
        var members = try await members()
        // An address of the right version that nobody has.
        members[1].addresses.insert(AddressRange(.version4, [10, 9, 0, 77]), at: 0)
        let mesh = try EchoMesh("test-echo", method: .udp, families: [.version4])
        #expect(await mesh.settle(members) == [:])
        #expect(answered(await mesh.round([Self.pairs[0]], within: .seconds(2))).count == 1)
    }

    @Test func whoIsNotThereIsNamed() async throws {
        let mesh = try await mesh(.udp)
        let pair = EchoMesh.Pair(from: "a", to: "nobody")
        #expect(await mesh.round([pair], within: Self.limit) == [.absent("nobody")])
        var other = try await members()
        other[0].namespace.inode += 1
        let failures = await (try EchoMesh("test-echo", method: .udp, families: [.version4])).settle(other)
        #expect(failures.keys.sorted() == ["a"])
    }

    @Test(arguments: EchoMesh.Method.allCases)
    func aNamespaceThatVanishesIsAnObservationAndIsLetGo(method: EchoMesh.Method) async throws {
        let mesh = try await mesh(method)
        fixture.pair.b.kill()
        let gone = try eventually(within: .seconds(3)) {
            try !fixture.pair.a.run("ip", "-o", "link", "show").contains("eth0")
        }
        #expect(gone.holds)
        #expect(await mesh.round(Self.pairs, within: Self.limit) == [.absent("b"), .absent("b")])
        await mesh.close()
    }

    @Test func roundsThatOverlapDoNotMixTheirAnswers() async throws {
        let mesh = try await mesh(.udp)
        try await withThrowingTaskGroup(of: [EchoMesh.Reply].self) { group in
            for _ in 0..<40 { group.addTask { await mesh.round(Self.pairs, within: .seconds(5)) } }
            for try await replies in group { #expect(answered(replies).count == 2) }
        }
    }

    // MARK: Connections at a rate

    private func attempt(
        _ connector: TCPConnector, to text: String, port: UInt16, within limit: Span = .seconds(3), fromA: Bool = true
    ) async throws -> TCPConnector.Attempt {
        let address = try #require(AddressRange(parsing: text))
        await connector.take(.init(from: fromA ? try await members()[0] : nil, to: address))
        return await connector.connect(to: port, within: limit)
    }

    @Test(arguments: [(AddressFamily.version4, TestPair.address4.b), (.version6, TestPair.address6.b)])
    func aConnectionIsOkRefusedOrLate(family: AddressFamily, address: String) async throws {
        let connector = try TCPConnector()
        let listener = try ProbeSocket(SOCK_STREAM, family, in: try fixture.pair.b.open())
        try listener.bindAnywhere(family)
        listen(listener.descriptor.number, 4)
        let good = try await attempt(connector, to: address, port: listener.port)
        #expect(good.outcome == .ok)
        let sent = try #require(good.sent)
        #expect(good.ended - sent < .milliseconds(100))
        let refused = try await attempt(connector, to: address, port: 9)
        #expect(refused.outcome == .failed && refused.reason == "refused" && refused.sent != nil)
        let block = try await fixture.block()
        try await fixture.install(block)
        let late = try await attempt(connector, to: address, port: listener.port, within: .milliseconds(200))
        #expect(late.outcome == .failed && late.reason == "timeout")
        #expect(try #require(late.sent) + .milliseconds(200) == late.ended)
        await fixture.kernel.release(block.mark)
        fixture.pair.a.kill()
        let gone = try eventually(within: .seconds(3)) {
            try !fixture.pair.b.run("ip", "-o", "link", "show").contains("eth0")
        }
        #expect(gone.holds)
        let absent = await connector.connect(to: listener.port, within: .seconds(1))
        #expect(absent.outcome == .failed && absent.reason == "absent" && absent.sent == nil)
    }

    @Test func aConnectionFromThisMachineNeedsNoNamespace() async throws {
        let connector = try TCPConnector()
        let listener = try ProbeSocket(here: SOCK_STREAM, .version4)
        try listener.bindToLoopback(.version4)
        let closed = try await attempt(connector, to: "127.0.0.1", port: listener.port, fromA: false)
        #expect(closed.reason == "refused")
        listen(listener.descriptor.number, 4)
        let open = try await attempt(connector, to: "127.0.0.1", port: listener.port, fromA: false)
        #expect(open.outcome == .ok)
    }
}
