import Basics
import Contracts
import Docker
import Experiment
import Glibc
import TestSupport
import Testing

@testable import Network

/// network.partition on real containers of the engine that answers here.
@Suite(.serialized, .enabled(if: getenv("SQUALL_LAB") != nil, "needs an engine and root: SQUALL_LAB=1"))
struct PartitionLabTests {
    private func between(_ a: [Target], _ b: [Target]) -> Target {
        .between([TargetSide(role: "a", members: a), TargetSide(role: "b", members: b)])
    }

    @Test func aPartitionIsShownHealedTwiceAndReadBack() async throws {
        try await withContainers { fixture in
            let (a, b, c) = (
                try await fixture.container(), try await fixture.container(), try await fixture.container()
            )
            let fault = try partition()
            let undo = try await fault.prepare(between([a], [b, c]), in: fixture.context)
            #expect(try await NetworkPartitionFault.leftover(of: undo, in: fixture.context) == nil)
            guard case .confirmed(let range, let evidence) = try await fault.inject(undo, in: fixture.context) else {
                Issue.record("no effect was shown")
                return
            }
            #expect(range.upper - range.lower < .milliseconds(20))
            #expect(evidence.contains("; 4 of 4 ways (udp datagrams) passed before and none does now"), "\(evidence)")
            #expect(try await NetworkPartitionFault.leftover(of: undo, in: fixture.context) != nil)
            for _ in 1...2 {
                try await NetworkPartitionFault.heal(undo, in: fixture.context)
                #expect(try await NetworkPartitionFault.leftover(of: undo, in: fixture.context) == nil)
            }
        }
    }

    @Test(arguments: ["to", "from"])
    func aOneWayPartitionKeepsTheOtherWay(direction: String) async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let fault = try partition([("direction", word(direction))])
            let undo = try await fault.prepare(between([a], [b]), in: fixture.context)
            let effect = try await fault.inject(undo, in: fixture.context)
            guard case .confirmed(_, let evidence) = effect else {
                Issue.record("\(effect)")
                return
            }
            #expect(evidence.hasSuffix("1 other ways still pass"), "\(evidence)")
            try await NetworkPartitionFault.heal(undo, in: fixture.context)
        }
    }

    @Test func whoDoesNotHoldTheSocketsSeesItAndCannotLiftIt() async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let fault = try partition()
            let undo = try await fault.prepare(between([a], [b]), in: fixture.context)
            _ = try await fault.inject(undo, in: fixture.context)
            let other = try fixture.elsewhere()
            try await NetworkPartitionFault.heal(undo, in: other)
            let leftover = try await NetworkPartitionFault.leftover(of: undo, in: other)
            #expect(leftover?.commands.first == "kill \(getpid())")
            try await NetworkPartitionFault.heal(undo, in: fixture.context)
            #expect(try await NetworkPartitionFault.leftover(of: undo, in: other) == nil)
        }
    }

    @Test func aContainerThatIsKilledCountsAsHealed() async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let fault = try partition()
            let undo = try await fault.prepare(between([a], [b]), in: fixture.context)
            _ = try await fault.inject(undo, in: fixture.context)
            try await fixture.engine.remove(a.name)
            try await fixture.engine.remove(b.name)
            try await NetworkPartitionFault.heal(undo, in: fixture.context)
            #expect(try await NetworkPartitionFault.leftover(of: undo, in: fixture.context) == nil)
        }
    }

    @Test func anAddressOutsideIsCutOffFromItsContainerAlone() async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let details = try await fixture.engine.inspect(b.name)
            let address = try #require(
                details.document["NetworkSettings"]?["Networks"]?[fixture.network]?["IPAddress"]?.string)
            let outside = Target(id: "addresses:b", name: address, attributes: [.addresses: address])
            let fault = try partition([("ports", words("9"))])
            let undo = try await fault.prepare(between([a], [outside]), in: fixture.context)
            #expect(undo.block.members.map(\.name) == [a.name])
            let effect = try await fault.inject(undo, in: fixture.context)
            guard case .confirmed = effect else {
                Issue.record("\(effect)")
                return
            }
            try await NetworkPartitionFault.heal(undo, in: fixture.context)
            #expect(try await NetworkPartitionFault.leftover(of: undo, in: fixture.context) == nil)
        }
    }

    @Test func anEffectThatNoPacketOfOursShowsIsNotClaimed() async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let fault = try partition([("protocols", words("icmp"))])
            let undo = try await fault.prepare(between([a], [b]), in: fixture.context)
            let effect = try await fault.inject(undo, in: fixture.context)
            guard case .unproven(let reason) = effect else {
                Issue.record("\(effect)")
                return
            }
            #expect(reason.contains("no packet of its own for icmp"))
            try await NetworkPartitionFault.heal(undo, in: fixture.context)
        }
    }

    // MARK: Refusals

    @Test func whatCannotBeCutIsRefusedBeforeAnythingIsTouched() async throws {
        try await withContainers { fixture in
            let a = try await fixture.container()
            let sharing = try await fixture.container(network: "container:\(a.name)")
            let alone = try await fixture.container(network: "none")
            let machine = try await fixture.container(network: "host")
            let nowhere = Target(id: "x", name: "x", attributes: [:])
            let refusals: [(Target, String)] = [
                (sharing, "share one network"), (alone, "no address but loopback"),
                (machine, "the machine's own network"),
                (nowhere, "needs containers or addresses"),
            ]
            for (other, reason) in refusals {
                let error = await #expect(throws: FaultError.self) {
                    try await partition().prepare(between([a], [other]), in: fixture.context)
                }
                #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
            }
        }
    }
}
