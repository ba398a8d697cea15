import Basics
import Contracts
import Glibc
import TestSupport
import Testing

@testable import Network

/// Blocks of addresses, up to all there are.
@Suite(.enabled(if: isRoot, needsRoot)) struct WideBlockTests {
    let fixture: BlockFixture

    init() throws {
        fixture = try BlockFixture()
    }

    private func ranges(_ texts: String...) -> [AddressRange] { texts.compactMap { AddressRange(parsing: $0) } }

    private func undo(_ block: Block) -> PartitionUndo {
        PartitionUndo(target: "t", block: block, layout: "a | everybody", seed: nil, owner: getpid())
    }

    /// Cuts, and tells what was shown.
    private func prove(_ block: Block) async throws -> Effect {
        try await PartitionProof(undo(block)).prove(fixture.kernel) { () throws(NetworkError) in
            try await fixture.kernel.install(block.work) { _ in }
            return try await fixture.kernel.arm(block.mark)
        }
    }

    @Test func everybodyIsCutOffButLoopback() async throws {
        var block = try await fixture.block(intoA: false, intoB: false)
        let all = ranges("0.0.0.0/0", "::/0")
        block.cuts[0] = .init(incoming: all, outgoing: all)
        // A route for those who are not on the cable.
        try fixture.pair.a.run("ip", "route", "add", "default", "via", TestPair.address4.b)
        try fixture.pair.a.run("ip", "-6", "route", "add", "default", "via", TestPair.address6.b)
        let effect = try await prove(block)
        guard case .confirmed(_, let evidence) = effect else {
            Issue.record("\(effect)")
            return
        }
        #expect(evidence.contains("packets on 2 ways out left before and are now stopped"), "\(evidence)")
        #expect(try await fixture.open(block, .datagram) == [])
        #expect(try await fixture.open(block, .connection) == [])
        // Name servers and health checks on loopback are no peers.
        try fixture.pair.a.run(
            "bash", "-c", "echo x > /dev/udp/127.0.0.11/53 && ! { echo > /dev/tcp/127.0.0.11/9; } 2>/dev/null")
        let (failure, after) = try refusal(in: fixture.pair.a, "127.0.0.11")
        #expect(failure == ECONNREFUSED)
        #expect(after < .milliseconds(200))
        await fixture.kernel.release(block.mark)
        #expect(try await fixture.open(block, .datagram).count == 4)
    }

    private func refusal(in space: TestNamespace, _ text: String) throws -> (CInt, Span) {
        let address = try #require(AddressRange(parsing: text))
        let socket = try ProbeSocket(SOCK_STREAM, .version4, in: try space.open())
        let time = SystemTimeSource()
        let start = time.now
        let result = SocketAddress(address.first, .version4, port: 9).with { connect(socket.descriptor.number, $0, $1) }
        if result != 0, errno != EINPROGRESS { return (errno, time.now - start) }
        _ = readyDescriptors([socket.descriptor.number], for: POLLOUT, within: .seconds(1))
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(socket.descriptor.number, SOL_SOCKET, SO_ERROR, &value, &length)
        return (value, time.now - start)
    }

    @Test(arguments: [([Traffic.TransportProtocol.tcp], "10.9.0.0/24"), ([.udp], "10.9.0.0/24"), ([.udp], "fd09::/64")])
    func aBlockOfAddressesIsShownByItsRules(protocols: [Traffic.TransportProtocol], range: String) async throws {
        var block = try await fixture.block(intoA: false, intoB: false, traffic: Traffic(protocols: protocols))
        // The second address of the block is that of `a` itself: the other end has to send.
        block.cuts[1] = .init(incoming: ranges(range), outgoing: ranges(range))
        let effect = try await prove(block)
        guard case .confirmed(_, let evidence) = effect else {
            Issue.record("\(effect)")
            return
        }
        #expect(evidence.contains("left before and are now stopped by a rule that counts them"), "\(evidence)")
        await fixture.kernel.release(block.mark)
    }

    @Test func aBlockToWhichNoRouteLeadsIsNotClaimed() async throws {
        var block = try await fixture.block(intoA: false, intoB: false)
        block.cuts[0] = .init(incoming: ranges("192.0.2.0/24"), outgoing: ranges("192.0.2.0/24"))
        guard case .unproven(let reason) = try await prove(block) else {
            Issue.record("an effect was claimed that nothing shows")
            return
        }
        #expect(reason.contains("nothing passed"))
        await fixture.kernel.release(block.mark)
    }

    @Test func theMembersOfOneSideAreNoOutsiders() async throws {
        var block = try await fixture.block(intoA: false, intoB: false)
        let all = ranges("0.0.0.0/0", "::/0")
        block.cuts = [
            .init(incoming: all, outgoing: all, spared: [1]), .init(incoming: all, outgoing: all, spared: [0]),
        ]
        try await fixture.install(block)
        #expect(try await fixture.open(block, .datagram).count == 4)
        #expect(try await fixture.open(block, .connection).count == 4)
        await fixture.kernel.release(block.mark)
    }

    @Test func whatTheRulesMetIsCountedAndReadBackAtTheEnd() async throws {
        let block = try await fixture.block()
        let totals = Totals()
        try await fixture.kernel.install(block.work) { event in
            if case .totals(let list, _) = event { totals.set(list) }
        }
        _ = try await fixture.kernel.arm(block.mark)
        #expect(try await fixture.open(block, .datagram) == [])
        await fixture.kernel.release(block.mark)
        // Three rounds, two versions, into each of the two.
        #expect(totals.list.map(\.name) == ["a", "b"])
        #expect(totals.list.allSatisfy { $0.sum.packets >= 6 && $0.sum.bytes >= 6 * 40 }, "\(totals.list)")
    }

    @Test func subtractingLeavesWhatIsInNoneOfTheOthers() {
        func minus(_ others: [String], _ from: [String]) -> [String] {
            AddressRange.subtracting(
                others.compactMap { AddressRange(parsing: $0) }, from: from.compactMap { AddressRange(parsing: $0) }
            ).map(\.description)
        }
        #expect(minus(["10.0.0.5"], ["10.0.0.4/30"]) == ["10.0.0.4", "10.0.0.6-10.0.0.7"])
        #expect(minus(["0.0.0.0"], ["0.0.0.0/0"]) == ["0.0.0.1-255.255.255.255"])
        #expect(minus(["255.255.255.255"], ["0.0.0.0/0"]) == ["0.0.0.0-255.255.255.254"])
        #expect(minus(["fd09::1"], ["::/0"]) == ["::-fd09::", "fd09::2-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"])
        #expect(minus(["10.0.0.0/8"], ["10.1.0.0/16", "192.0.2.1"]) == ["192.0.2.1"])
        #expect(minus(["fd09::1"], ["10.0.0.1"]) == ["10.0.0.1"])
    }
}
