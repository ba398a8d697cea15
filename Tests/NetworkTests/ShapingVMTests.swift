import Basics
import Contracts
import Glibc
import TestSupport
import Testing

@testable import Network

/// What netem does, on a kernel that has it and with a clock that is exact; see scripts/vm-test.
@Suite(.enabled(if: isRoot && getenv("SQUALL_VM") != nil, "needs netem and exact time: scripts/vm-test"))
struct ShapingVMTests {
    let fixture: ShapeFixture

    init() throws {
        fixture = try ShapeFixture()
    }

    /// Milliseconds from `a` to `b`, by an outsider's packets.
    private func latencies(
        _ count: Int, spacing: Span = .milliseconds(2), _ family: AddressFamily = .version4
    ) async throws -> [Double] {
        let flow = try await fixture.flow(count, spacing: spacing, family, patience: .milliseconds(600))
        return try await fixture.control.measure(flow).latencies.map { $0 * 1_000 }
    }

    private static func deviation(_ values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(values.count)
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
    }

    // MARK: Delay

    @Test(arguments: AddressFamily.allCases) func aDelayIsExact(family: AddressFamily) async throws {
        try await fixture.with(try shaping(NetworkDelayFault.self, "delay=100ms")) { effect, _ in
            #expect(effect.evidence?.contains("delayed by 100") == true, "\(effect)")
            let measured = try await latencies(200, family)
            #expect(measured.count == 200)
            #expect(
                measured.allSatisfy { (99.9...100.5).contains($0) }, "\(measured.min() ?? 0) \(measured.max() ?? 0)")
        }
        #expect(try await latencies(50, family).allSatisfy { $0 < 1 })
    }

    @Test func aUniformJitterStaysWithinItsBounds() async throws {
        let fault = try shaping(NetworkDelayFault.self, "delay=100ms jitter=10ms distribution=uniform")
        try await fixture.with(fault) { effect, _ in
            #expect(effect.evidence != nil, "\(effect)")
            let measured = try await latencies(500)
            #expect(
                measured.allSatisfy { (89.9...110.5).contains($0) }, "\(measured.min() ?? 0) \(measured.max() ?? 0)")
            #expect((5.3...6.3).contains(Self.deviation(measured)), "\(Self.deviation(measured))")
        }
    }

    @Test(arguments: ["normal", "pareto", "paretonormal"])
    func aDistributionHasItsMeanAndDeviation(name: String) async throws {
        let fault = try shaping(NetworkDelayFault.self, "delay=100ms jitter=10ms distribution=\(name)")
        try await fixture.with(fault) { effect, _ in
            #expect(effect.evidence != nil, "\(effect)")
            let measured = try await latencies(1_000)
            let mean = measured.reduce(0, +) / Double(measured.count)
            #expect((98.5...101.5).contains(mean), "\(mean)")
            #expect((8.5...11.5).contains(Self.deviation(measured)), "\(Self.deviation(measured))")
        }
    }

    @Test func aJitterThatKeepsTheOrderLetsNothingOvertake() async throws {
        let loose = try shaping(NetworkDelayFault.self, "delay=50ms jitter=10ms")
        let kept = try shaping(NetworkDelayFault.self, "delay=50ms jitter=10ms keep-order=true")
        let flow = try await fixture.flow(500, spacing: .milliseconds(2))
        try await fixture.with(loose) { _, _ in
            let seen = try await fixture.control.measure(flow)
            #expect(seen.overtaken > 100)
        }
        try await fixture.with(kept) { effect, _ in
            #expect(effect.evidence != nil, "\(effect)")
            let seen = try await fixture.control.measure(flow)
            #expect(seen.overtaken == 0)
            #expect(seen.lost == 0)
        }
    }

    /// A priority map would send packets with some types of service elsewhere (0x08 is one).
    @Test(arguments: [0, 0x08]) func anotherDestinationIsNotDelayed(service: Int) async throws {
        let undo = try await fixture.undo()
        try fixture.pair.b.run("ip", "addr", "add", "10.9.0.3/24", "dev", "eth0")
        let fault = try shaping(NetworkDelayFault.self, "delay=100ms")
        try await fixture.with(fault, undo) { effect, _ in
            #expect(effect.evidence != nil, "\(effect)")
            let other = try roundTrip(to: [10, 9, 0, 3], service)
            #expect(other < .milliseconds(1))
            let chosen = try roundTrip(to: [10, 9, 0, 2], service)
            #expect(chosen >= .milliseconds(100))
        }
    }

    /// The longest time of ten datagrams from `a` to an address of `b`.
    private func roundTrip(to address: [UInt8], _ service: Int) throws -> Span {
        let receiver = try ProbeSocket(SOCK_DGRAM, .version4, in: try fixture.pair.b.open())
        try receiver.bindAnywhere(.version4)
        let sender = try ProbeSocket(SOCK_DGRAM, .version4, in: try fixture.pair.a.open())
        var value = CInt(service)
        let size = socklen_t(MemoryLayout<CInt>.size)
        try #require(setsockopt(sender.descriptor.number, CInt(IPPROTO_IP), IP_TOS, &value, size) == 0)
        let target = SocketAddress(address, .version4, port: receiver.port)
        var longest = Span.zero
        for _ in 0..<10 {
            let start = fixture.context.time.now
            _ = target.with { sendto(sender.descriptor.number, [1], 1, 0, $0, $1) }
            let ready = readyDescriptors([receiver.descriptor.number], for: POLLIN, within: .seconds(1))
            try #require(!ready.isEmpty, "no datagram arrived")
            longest = max(longest, fixture.context.time.now - start)
            var byte: UInt8 = 0
            recv(receiver.descriptor.number, &byte, 1, 0)
        }
        return longest
    }

    // MARK: Shares

    @Test func aFifthIsSentTwice() async throws {
        try await fixture.with(try shaping(NetworkDuplicateFault.self, "duplicate=20%")) { effect, _ in
            #expect(effect.evidence?.contains("packets duplicated") == true, "\(effect)")
            let seen = try await fixture.control.measure(try await fixture.flow(1_000))
            #expect((160...240).contains(seen.duplicates), "\(seen.duplicates)")
            #expect(seen.lost == 0)
        }
    }

    /// A receiver that checks checksums loses them. Echo requests are the packets of ours whose checksum is right.
    @Test func aFifthIsBroken() async throws {
        try await fixture.with(try shaping(NetworkCorruptFault.self, "corrupt=20%")) { effect, _ in
            #expect(effect.evidence?.contains("packets corrupted") == true, "\(effect)")
            var flow = try await fixture.flow(1_000, payload: 1_000, transport: .icmp)
            let destination = flow.destination
            flow.shaped = try await fixture.member(fixture.pair.a, "a")
            flow.way = .echo
            flow.destination = destination
            let seen = try await fixture.control.measure(flow)
            #expect((160...240).contains(seen.lost), "\(seen.lost)")
        }
    }

    @Test func aQuarterOvertakesTheOthers() async throws {
        try await fixture.with(try shaping(NetworkReorderFault.self, "reorder=25% delay=10ms")) { effect, _ in
            #expect(effect.evidence?.contains("overtook the others") == true, "\(effect)")
            let measured = try await latencies(1_000, spacing: .milliseconds(1))
            let early = measured.filter { $0 < 5 }.count
            #expect((200...300).contains(early), "\(early)")
        }
    }

    @Test func aBadLinkLosesInBursts() async throws {
        let fault = try shaping(NetworkLossFault.self, "bursts={becomes-bad=5%,becomes-good=20%}")
        try await fixture.with(fault) { effect, _ in
            #expect(effect.evidence?.contains("packets lost") == true, "\(effect)")
            let seen = try await fixture.control.measure(try await fixture.flow(5_000))
            let share = Double(seen.lost) / 5_000
            #expect((0.15...0.25).contains(share), "\(share)")
            // Lost ones have lost neighbours: by themselves only a fifth of the losses would be followed by another.
            let arrived = Set(seen.arrivals.map(\.index))
            let lost = (0..<4_999).filter { !arrived.contains($0) }
            let followed = lost.filter { !arrived.contains($0 + 1) }.count
            #expect(Double(followed) / Double(lost.count) > 0.6, "\(followed) of \(lost.count)")
        }
    }

    @Test func everythingAtOnceIsShownPartByPart() async throws {
        let fault = try shaping(
            NetworkImpairFault.self, "delay=30ms jitter=5ms loss=10% duplicate=5% corrupt=5% rate=20mbit")
        try await fixture.with(fault) { effect, _ in
            for part in ["lost", "corrupted", "duplicated", "delayed by", "rate"] {
                #expect(effect.evidence?.contains(part) == true, "\(part): \(effect)")
            }
        }
    }

    // MARK: What comes in

    @Test(arguments: AddressFamily.allCases) func whatIsReceivedIsDelayedOverALinkOfOurs(family: AddressFamily)
        async throws
    {
        let fault = try shaping(NetworkDelayFault.self, "delay=50ms direction=ingress")
        try await fixture.with(fault) { effect, _ in
            #expect(effect.evidence?.contains("b to a") == true, "\(effect)")
            let back = try await fixture.control.measure(
                try await fixture.flow(50, spacing: .milliseconds(2), from: 1, family))
            #expect(back.latencies.count == 50)
            #expect(back.latencies.allSatisfy { (0.0499...0.0515).contains($0) }, "\(back.latencies.max() ?? 0)")
            #expect(try await latencies(20, family).allSatisfy { $0 < 1 })
        }
    }

    // MARK: Traps of the kernel

    /// What a change does not send stays as it was: nothing may be left out.
    @Test func aChangeLeavesNothingOfTheSettingsBefore() async throws {
        let socket = try fixture.pair.a.open().netlink(.route)
        let interface = try #require(try TreeCompanion.interfaces(socket).first).index
        var first = Impairment()
        first.delay = .milliseconds(200)
        first.jitter = .milliseconds(20)
        first.delayCorrelation = 0.5
        first.loss = .independent(0.5, correlation: 0.3)
        first.duplicate = 0.3
        first.corrupt = 0.3
        first.reorder = 0.3
        first.rate = Bandwidth(bitsPerSecond: 100_000)
        var second = Impairment()
        second.delay = .milliseconds(10)
        for (impairment, isChange) in [(first, false), (second, true)] {
            var batch = TreeBatch("test", nextSequence: socket.nextSequence)
            try batch.put(
                .netem(NetemOptions(impairment: impairment)), handle: 0x77_0000, parent: .max, on: interface,
                isChange: isChange)
            try socket.transact(batch.batch)
        }
        // This tree takes every packet: the first one also waits until its neighbour is found.
        _ = try await fixture.control.measure(try await fixture.flow(5))
        let seen = try await fixture.control.measure(try await fixture.flow(300, spacing: .milliseconds(1)))
        #expect(seen.lost == 0)
        #expect(seen.duplicates == 0)
        #expect(seen.corrupted == 0)
        #expect(seen.overtaken == 0)
        #expect(seen.latencies.allSatisfy { (0.0099...0.0115).contains($0) }, "\(seen.latencies.max() ?? 0)")
    }

    @Test(arguments: [true, false])
    func aDuplicatingNetemBesideAnotherIsRefusedBeforeAnythingChanges(isFirst: Bool) async throws {
        let twice = try shaping(NetworkDuplicateFault.self, "duplicate=20% protocols=udp")
        let slow = try shaping(NetworkDelayFault.self, "delay=10ms protocols=tcp")
        let other = try await fixture.undo()
        func refusal(_ fault: some ShapingFault) async throws {
            let before = try fixture.state()
            let error = await #expect(throws: FaultError.self) { try await fault.refuse(other, in: fixture.context) }
            #expect(error?.message.contains("in a tree in which one duplicates packets") == true, "\(error as Any)")
            #expect(try fixture.state() == before)
        }
        if isFirst {
            try await fixture.with(twice) { _, _ in try await refusal(slow) }
        } else {
            try await fixture.with(slow) { _, _ in try await refusal(twice) }
        }
    }

    // MARK: What a probe sees of it

    @Test(arguments: EchoMesh.Method.allCases) func aRoundTripIsTheDelayThatIsThere(method: EchoMesh.Method)
        async throws
    {
        let members = [
            try await fixture.member(fixture.pair.a, "a"), try await fixture.member(fixture.pair.b, "b"),
        ]
        let mesh = try EchoMesh("test-echo", method: method, families: [.version4])
        #expect(await mesh.settle(members) == [:])
        try await fixture.with(try shaping(NetworkDelayFault.self, "delay=100ms")) { _, _ in
            for _ in 1...5 {
                let reply = await mesh.round([EchoMesh.Pair(from: "a", to: "b")], within: .seconds(2)).first
                guard case .answered(let span) = reply else {
                    Issue.record("\(String(describing: reply))")
                    continue
                }
                #expect(span >= .milliseconds(100) && span < .milliseconds(101), "\(span)")
            }
        }
        await mesh.close()
    }
}
