import Basics
import Contracts
import Glibc
import Process
import Synchronization
import TestSupport
import Testing

@testable import Network

/// What a block does to packets between two namespaces, of both versions of the Internet Protocol.
@Suite(.enabled(if: isRoot, needsRoot)) struct BlockTests {
    let fixture: BlockFixture

    init() throws {
        fixture = try BlockFixture()
    }

    private static let all: Set = ["a4", "a6", "b4", "b6"]

    @Test(arguments: [ProbePath.Method.datagram, .connection])
    func nothingPassesEitherWayUntilTheHeal(method: ProbePath.Method) async throws {
        let block = try await fixture.block()
        #expect(try await fixture.open(block, method) == Self.all)
        try await fixture.install(block)
        #expect(try await fixture.open(block, method) == [])
        await fixture.kernel.release(block.mark)
        #expect(try await fixture.open(block, method) == Self.all)
        #expect(try fixture.pair.a.tables() == [])
        #expect(try fixture.pair.b.tables() == [])
    }

    @Test func tablesWithEmptySetsStopNothing() async throws {
        let block = try await fixture.block()
        try await fixture.kernel.install(block.work) { _ in }
        #expect(try fixture.pair.a.tables().map(\.name) == [block.mark])
        #expect(try await fixture.open(block, .datagram) == Self.all)
        #expect(try await fixture.kernel.elements(of: block.mark, in: block.members[0]) == 0)
    }

    @Test func aOneWayBlockLetsTheOtherWayPass() async throws {
        let block = try await fixture.block(intoA: false)
        try await fixture.install(block)
        #expect(try await fixture.open(block, .datagram) == ["b4", "b6"])
        #expect(try await fixture.open(block, .connection) == [])
    }

    @Test func onlyTheNamedProtocolIsStopped() async throws {
        let block = try await fixture.block(traffic: Traffic(protocols: [.tcp]))
        try await fixture.install(block)
        #expect(try await fixture.open(block, .datagram) == Self.all)
        #expect(try await fixture.open(block, .connection) == [])
    }

    @Test func onlyTheNamedPortIsStopped() async throws {
        let ports = try #require(PortRange(parsing: "8001-8002"))
        let block = try await fixture.block(traffic: Traffic(ports: [ports]))
        // A port on which nobody listens is answered with a reset, and that answer is what is stopped.
        #expect(try await fixture.open(block, .answer(port: 8_002)) == Self.all)
        try await fixture.install(block)
        #expect(try await fixture.open(block, .answer(port: 8_001)) == [])
        #expect(try await fixture.open(block, .answer(port: 8_002)) == [])
        #expect(try await fixture.open(block, .answer(port: 8_003)) == Self.all)
        #expect(try await fixture.open(block, .datagram) == Self.all)
    }

    @Test(arguments: [BlockMode.rejectTCP, .rejectICMP])
    func aRejectIsAnsweredAtOnceBothWays(mode: BlockMode) async throws {
        let block = try await fixture.block(mode: mode)
        try await fixture.install(block)
        #expect(try await fixture.open(block, .connection) == [])
        for (space, address) in [(fixture.pair.a, TestPair.address4.b), (fixture.pair.b, TestPair.address4.a)] {
            let (failure, after) = try connectionFailure(from: space, to: address, port: 9)
            #expect(failure == (mode == .rejectTCP ? ECONNREFUSED : EHOSTUNREACH))
            #expect(after < .milliseconds(200))
        }
        // A refusal from the port itself is the same code; while rules reject, a listener is not reached either.
        #expect(try await fixture.open(block, .datagram) == [])
    }

    private func connectionFailure(
        from space: TestNamespace, to text: String, port: UInt16
    ) throws -> (CInt, Span) {
        let address = try #require(AddressRange(parsing: text))
        let socket = try ProbeSocket(SOCK_STREAM, .version4, in: try space.open())
        let time = SystemTimeSource()
        let start = time.now
        let target = SocketAddress(address.first, .version4, port: port)
        guard target.with({ connect(socket.descriptor.number, $0, $1) }) != 0, errno == EINPROGRESS else {
            return (errno, time.now - start)
        }
        _ = readyDescriptors([socket.descriptor.number], for: POLLOUT, within: .seconds(2))
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(socket.descriptor.number, SOL_SOCKET, SO_ERROR, &value, &length)
        return (value, time.now - start)
    }

    // MARK: A peer that is not ours

    @Test func whatLeavesTowardsAnOutsiderIsLostWithoutTellingItsSender() async throws {
        let block = try await fixture.block(intoA: false, intoB: false, outOfA: true)
        try await fixture.install(block)
        #expect(try await fixture.open(block, .datagram) == ["b4", "b6"])
        #expect(try await fixture.open(block, .connection) == [])
        #expect(try sendFailures(to: TestPair.address4.b, .version4) == 0)
        #expect(try sendFailures(to: TestPair.address6.b, .version6) == 0)
    }

    /// Why UDP is not dropped at LOCAL_OUT: the same sender is told.
    @Test func aDropAtTheOutputHookTellsItsSender() throws {
        try fixture.pair.a.run("nft", "add", "table", "inet", "t")
        try fixture.pair.a.run("nft", "add", "chain", "inet", "t", "o", "{ type filter hook output priority 0; }")
        try fixture.pair.a.run("nft", "add", "rule", "inet", "t", "o", "ip", "daddr", TestPair.address4.b, "drop")
        #expect(try sendFailures(to: TestPair.address4.b, .version4) == 20)
    }

    private func sendFailures(to text: String, _ family: AddressFamily) throws -> Int {
        let address = try #require(AddressRange(parsing: text))
        let socket = try ProbeSocket(SOCK_DGRAM, family, in: try fixture.pair.a.open())
        let target = SocketAddress(address.first, family, port: 4_000)
        return (0..<20).filter { _ in
            let sent = target.with { sendto(socket.descriptor.number, [1], 1, CInt(MSG_NOSIGNAL), $0, $1) }
            return sent < 0
        }.count
    }

    // MARK: Who heals

    @Test func aBlockThatNobodyRenewsIsLiftedByTheKernel() async throws {
        let block = try await fixture.block()
        let space = try fixture.pair.b.open()
        let held = try HeldNamespace(1, of: block.work, in: space)
        try held.arm(for: .seconds(2))
        #expect(try await fixture.open(block, .datagram, within: .milliseconds(90)) == ["b4", "b6"])
        try held.commit(try held.filling(for: .seconds(4), isRenewal: true))
        // After the first lease would have ended, and before the second one does.
        let open = await Self.after(.milliseconds(2_200)) {
            try? await fixture.open(block, .datagram, within: .milliseconds(90))
        }
        #expect(open == ["b4", "b6"])
        let lifted = try await Self.first(within: .seconds(8)) {
            try await fixture.open(block, .datagram, within: .milliseconds(90)).count == 4
        }
        #expect(lifted)
    }

    private static func after<Value>(_ pause: Span, _ body: () async -> Value) async -> Value {
        try? await SystemTimeSource().sleep(for: pause)
        return await body()
    }

    private static func first(within limit: Span, _ condition: () async throws -> Bool) async throws -> Bool {
        let time = SystemTimeSource()
        let deadline = time.now + limit
        while time.now < deadline {
            if try await condition() { return true }
        }
        return false
    }

    @Test func aBlockLastsAsLongAsItIsRenewed() async throws {
        let block = try await fixture.block()
        try await fixture.install(block)
        // Longer than one lease.
        let open = await Self.after(LocalNetworkKernel.lease + .seconds(1)) {
            try? await fixture.open(block, .datagram)
        }
        #expect(open == [])
        #expect(fixture.notes.list.withLock { $0 } == [])
    }

    @Test func theNamespaceOfAnEndedProcessIsLetGo() async throws {
        let block = try await fixture.block()
        try await fixture.install(block)
        fixture.pair.b.kill()
        // The other end of the cable goes with its namespace, which only our socket could keep alive.
        let gone = try eventually(within: .seconds(3)) {
            try !fixture.pair.a.run("ip", "-o", "link", "show").contains("eth0")
        }
        #expect(gone.holds)
        #expect(fixture.notes.list.withLock { $0 }.contains("b ended"))
        #expect(try await fixture.kernel.elements(of: block.mark, in: block.members[1]) == nil)
        #expect(await fixture.kernel.missing() == [])
        await fixture.kernel.release(block.mark)
        #expect(try fixture.pair.a.tables() == [])
        // A fault that is not where it should be, to its end, proves nothing.
        #expect(fixture.notes.list.withLock { $0 }.last == "b ended while it had the fault, and did not come back")
    }

    // MARK: Refusals

    @Test func theMachinesOwnNetworkIsRefused() async throws {
        let own = try fixture.host.process(getpid())
        let identity = ProcessIdentity(pid: getpid(), startTime: own.startTime, bootID: fixture.host.bootID)
        let error = await #expect(throws: NetworkError.self) { try await fixture.kernel.look(at: identity) }
        #expect(error?.code == .denied)
    }

    @Test func aProcessThatIsGoneOrAnotherOneIsNotFound() async throws {
        var identity = try fixture.identity(fixture.pair.a)
        identity.startTime += 1
        let error = await #expect(throws: NetworkError.self) { try await fixture.kernel.look(at: identity) }
        #expect(error?.code == .notFound)
    }

    @Test func anInstallThatFailsInOneNamespaceLeavesNothingInTheOthers() async throws {
        let block = try await fixture.block()
        let thief = try fixture.pair.b.open().netlink(.netfilter)
        var batch = try NftablesBatch("foreign", nextSequence: thief.nextSequence)
        let rule: [[Expression]] = [[.counter]]
        try batch.create(
            NftablesTable(
                family: .inet, name: block.mark, comment: "somebody else", sets: [],
                chains: [.init(name: "in", hook: .input, rules: rule)]), isLast: true)
        try thief.transact(try batch.finish())
        await #expect(throws: NetworkError.self) { try await fixture.install(block) }
        let clean = try eventually(within: .seconds(2)) { try fixture.pair.a.tables().isEmpty }
        #expect(clean.holds)
        #expect(try fixture.pair.b.tables().map(\.comment) == ["somebody else"])
    }
}
