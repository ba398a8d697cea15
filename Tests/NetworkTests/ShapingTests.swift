import Basics
import Contracts
import Glibc
import TestSupport
import Testing

@testable import Network

/// Shaping that every kernel can do: what packets meet, and that nothing stays.
@Suite(.enabled(if: isRoot, needsRoot)) struct ShapingTests {
    let fixture: ShapeFixture

    init() throws {
        fixture = try ShapeFixture()
    }

    // MARK: Loss

    /// Binomial bounds of 4.5 deviations, the flow being another one than that by which the fault showed itself.
    @Test(arguments: [("0.1%", 0.001, 20_000), ("30%", 0.3, 5_000), ("100%", 1, 500)])
    func aShareOfThePacketsIsLost(text: String, share: Double, count: Int) async throws {
        let fault = try shaping(NetworkLossFault.self, "loss=\(text)")
        try await fixture.with(fault) { effect, _ in
            #expect(effect.evidence?.contains("packets lost") == true, "\(effect)")
            for family in AddressFamily.allCases {
                let seen = try await fixture.control.measure(try await fixture.flow(count, family))
                let bound = 4.5 * (Double(count) * share * (1 - share)).squareRoot() + 0.5
                #expect(abs(Double(seen.lost) - Double(count) * share) <= bound, "\(seen.lost) of \(count)")
            }
            let back = try await fixture.control.measure(try await fixture.flow(500, from: 1))
            #expect(back.lost == 0, "what a receives is none of the fault's")
        }
        #expect(try await fixture.control.measure(try await fixture.flow(500)).lost == 0)
    }

    @Test func whatIsReceivedIsLostWithoutATree() async throws {
        let fault = try shaping(NetworkLossFault.self, "loss=30% direction=ingress")
        try await fixture.with(fault) { effect, undo in
            #expect(effect.evidence?.contains("b to a") == true, "\(effect)")
            #expect(try await fixture.control.parts(of: undo.tree) == [])
            let back = try await fixture.control.measure(try await fixture.flow(2_000, from: 1))
            #expect(abs(back.lost - 600) < 100, "\(back.lost)")
            #expect(try await fixture.control.measure(try await fixture.flow(500)).lost == 0)
        }
    }

    /// The sender must not be told: a rule that drops at the output would answer EPERM.
    @Test func aBlackholeTellsNobody() async throws {
        try await fixture.with(try shaping(NetworkBlackholeFault.self, "")) { effect, _ in
            #expect(effect.evidence != nil, "\(effect)")
            for sender in [0, 1] {
                #expect(try await fixture.control.measure(try await fixture.flow(50, from: sender)).lost == 50)
            }
            let socket = try ProbeSocket(SOCK_DGRAM, .version4, in: try fixture.pair.a.open())
            let address = SocketAddress([10, 9, 0, 2], .version4, port: 9)
            let results = (0..<20).map { _ in
                address.with { sendto(socket.descriptor.number, [1, 2, 3], 3, 0, $0, $1) }
            }
            #expect(results == [Int](repeating: 3, count: 20))
        }
    }

    @Test func onlyTheChosenPacketsAreTaken() async throws {
        let fault = try shaping(NetworkBlackholeFault.self, "direction=egress protocols=tcp ports=8001-8002")
        try await fixture.with(fault) { effect, _ in
            #expect(effect.evidence != nil, "\(effect)")
            let flows: [(Traffic.TransportProtocol, UInt16?, Int)] = [
                (.tcp, 8_002, 20), (.tcp, 8_003, 0), (.udp, 8_002, 0), (.icmp, nil, 0),
            ]
            for (transport, port, lost) in flows {
                let flow = try await fixture.flow(20, patience: .milliseconds(100), transport: transport, port: port)
                #expect(try await fixture.control.measure(flow).lost == lost, "\(transport) \(port ?? 0)")
            }
        }
    }

    @Test func everybodyIsMeantWhenNobodyIsNamed() async throws {
        let undo = try await fixture.undo(towardsAnybody: true)
        let fault = try shaping(NetworkLossFault.self, "loss=50%")
        try await fixture.with(fault, undo) { effect, _ in
            // Without a route to anywhere, the packets that show it go to a group that nobody is in.
            #expect(effect.evidence?.contains("a to 233.252.0.1") == true, "\(effect)")
            #expect(effect.evidence?.contains("a to ff02::db8:0:1") == true, "\(effect)")
        }
    }

    // MARK: Rate

    @Test(arguments: ["1mbit", "10mbit", "30mbit"])
    func aRateIsKeptWithinThreePercent(text: String) async throws {
        let rate = try #require(Bandwidth(parsing: text))
        try await fixture.with(try shaping(NetworkRateFault.self, "rate=\(text)")) { effect, undo in
            #expect(effect.evidence?.contains("rate") == true, "\(effect)")
            for family in AddressFamily.allCases {
                let measured = try await fixture.control.saturate(
                    try await fixture.saturation(family), undo.tree,
                    at: Bandwidth(bitsPerSecond: 2 * rate.bitsPerSecond), for: .seconds(1)
                ).first
                let bits = try #require(measured).bitsPerSecond
                #expect(abs(bits / Double(rate.bitsPerSecond) - 1) < 0.03, "\(bits)")
            }
        }
    }

    @Test func whatIsReceivedIsSlowedOverALinkOfOurs() async throws {
        let fault = try shaping(NetworkRateFault.self, "rate=2mbit direction=ingress")
        try await fixture.with(fault) { effect, undo in
            #expect(effect.evidence?.contains("b to a") == true, "\(effect)")
            let state = try fixture.state()
            #expect(state.contains { $0.hasPrefix("\(undo.tree.linkPrefix)0 ") }, "\(state)")
            // What showed the rate has filled the link, which drains in less than a second: late is not lost.
            var lost = Int.max
            for _ in 1...20 where lost > 0 {
                lost = try await fixture.control.measure(try await fixture.flow(20, from: 1)).lost
            }
            #expect(lost == 0)
        }
    }

    @Test func aLossAndARateAreCombinedWithoutNetem() async throws {
        let fault = try shaping(NetworkImpairFault.self, "loss=20% rate=5mbit direction=both")
        try await fixture.with(fault) { effect, _ in
            #expect(effect.evidence?.contains("packets lost") == true, "\(effect)")
            #expect(effect.evidence?.contains("rate") == true, "\(effect)")
        }
    }

    // MARK: The switch

    @Test func aTreeWithoutItsTableShapesNothing() async throws {
        let undo = try await fixture.undo()
        let fault = try shaping(NetworkRateFault.self, "rate=1mbit")
        try fault.rules(undo).tree.build(
            try TreeCompanion.interfaces(try fixture.pair.a.open().netlink(.route)),
            try fixture.pair.a.open().netlink(.route))
        #expect(try await fixture.control.parts(of: undo.tree).count == 1)
        #expect(try await fixture.throughput() > 20_000_000)
        try await NetworkRateFault.heal(undo, in: try fixture.elsewhere())
        #expect(try await fixture.control.parts(of: undo.tree) == [])
    }

    // MARK: Others

    @Test func twoFaultsOnDifferentPacketsAreThereTogetherAndHealedOneByOne() async throws {
        let tcp = try shaping(NetworkBlackholeFault.self, "direction=egress protocols=tcp")
        let udp = try shaping(NetworkRateFault.self, "rate=1mbit protocols=udp")
        let (first, second) = (try await fixture.undo(), try await fixture.undo())
        try await fixture.with(tcp, first) { _, _ in
            try await fixture.with(udp, second) { effect, _ in
                #expect(effect.evidence != nil, "\(effect)")
                let stopped = try await fixture.control.measure(try await fixture.flow(20, transport: .tcp))
                #expect(stopped.lost == 20)
                let slowed = try await fixture.control.measure(try await fixture.flow(20))
                #expect(slowed.lost == 0)
            }
            #expect(try await fixture.control.measure(try await fixture.flow(20, transport: .tcp)).lost == 20)
        }
    }

    @Test func twoFaultsOnTheSamePacketsAreRefusedBeforeAnythingChanges() async throws {
        let fault = try shaping(NetworkLossFault.self, "loss=50%")
        let second = try await fixture.undo()
        try await fixture.with(fault) { _, _ in
            let before = try fixture.state()
            let error = await #expect(throws: FaultError.self) { try await fault.refuse(second, in: fixture.context) }
            #expect(
                error?.message.contains("loss 50% is there already for all traffic with") == true, "\(error as Any)")
            #expect(error?.advice.contains("network.impair") == true)
            #expect(try fixture.state() == before)
        }
    }

    @Test func aQueueingDisciplineOfSomebodyElseIsRefusedAndLeftAlone() async throws {
        try fixture.pair.a.run(
            "tc", "qdisc", "add", "dev", "eth0", "root", "handle", "77:", "tbf", "rate", "10mbit", "burst", "10k",
            "latency", "50ms")
        let fault = try shaping(NetworkLossFault.self, "loss=50%")
        let undo = try await fixture.undo()
        let error = await #expect(throws: FaultError.self) { try await fault.refuse(undo, in: fixture.context) }
        #expect(error?.code == .foreignState)
        #expect(error?.message.contains("eth0 has a queueing discipline of somebody else's: tbf 77:") == true)
        // Nor does a heal touch it, nor a request with our handle.
        try await NetworkLossFault.heal(undo, in: fixture.context)
        let socket = try fixture.pair.a.open().netlink(.route)
        let interface = try #require(try TreeCompanion.interfaces(socket).first)
        var batch = TreeBatch("test", nextSequence: socket.nextSequence)
        try batch.deleteRoot(on: interface.index)
        let refused = #expect(throws: NetworkError.self) { try socket.transact(batch.batch) }
        #expect(refused?.code == .invalid)
        #expect(try fixture.pair.a.run("tc", "qdisc", "show", "dev", "eth0").contains("tbf 77: root"))
    }

    /// T23 where the kernel has no netem; where it has, the same fault is taken.
    @Test func aKernelWithoutNetemIsNamedWithWhatToDo() async throws {
        let fault = try shaping(NetworkDelayFault.self, "delay=100ms")
        let undo = try await fixture.undo()
        let hasNetem = (try? fixture.pair.b.run("tc", "qdisc", "add", "dev", "lo", "root", "netem")) != nil
        let before = try fixture.state()
        do throws(FaultError) {
            try await fault.refuse(undo, in: fixture.context)
            #expect(hasNetem)
        } catch {
            #expect(!hasNetem)
            #expect(error.code == .notApplicable)
            #expect(error.message.contains("has no sch_netem, which network.delay needs"), "\(error)")
            #expect(error.advice.contains("modprobe sch_netem") || error.advice.contains("CONFIG_NET_SCH_NETEM"))
        }
        #expect(try fixture.state() == before)
    }

    // MARK: What is left

    @Test func aTreeIsFoundInANamespaceWithoutAProcess() async throws {
        let name = "squall-test-tree-\(getpid())"
        try ChildProcess.run(["ip", "netns", "add", name])
        defer { _ = try? ChildProcess.run(["ip", "netns", "delete", name]) }
        let space = try NetworkNamespace(path: "/run/netns/\(name)")
        let identity = space.identity
        let socket = try space.netlink(.route)
        let undo = try await fixture.undo()
        let fault = try shaping(NetworkRateFault.self, "rate=1mbit direction=both")
        try fault.rules(undo).tree.build(try TreeReader.links(socket).filter(\.isLoopback), socket)
        let scan = try TreeScan.scan(NamespaceCensus()) { $0 == identity }
        #expect(scan.failure == nil)
        #expect(scan.marks.count == 2, "\(scan.marks)")
        #expect(scan.marks.contains { $0.leftover.description.contains("queueing tree c4a5: on lo") })
        #expect(scan.marks.contains { $0.run == "test" && $0.leftover.description.contains(undo.tree.linkName(0)) })
        #expect(try await NetworkRateFault.leftover(of: undo, in: fixture.context) != nil)
        // By whoever has the undo, and nothing else.
        try await NetworkRateFault.heal(undo, in: try fixture.elsewhere())
        #expect(try await NetworkRateFault.leftover(of: undo, in: fixture.context) == nil)
        #expect(try TreeScan.scan(NamespaceCensus()) { $0 == identity }.marks.isEmpty)
    }
}
