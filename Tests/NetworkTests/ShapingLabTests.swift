import Basics
import Contracts
import Docker
import Experiment
import Glibc
import TestSupport
import Testing

@testable import Network

/// Shaping on real containers of the engine that answers here.
@Suite(.serialized, .enabled(if: getenv("SQUALL_LAB") != nil, "needs an engine and root: SQUALL_LAB=1"))
struct ShapingLabTests {
    private func context(_ fixture: PartitionFixture) throws -> SystemContext {
        var context = fixture.context
        context.services.register(try LocalTrafficControl(fixture.kernel), as: (any TrafficControl).self)
        return context
    }

    /// Everything from prepare to the state read back; returns what showed the effect.
    private func evidence<Kind: ShapingFault>(
        _ fault: Kind, on target: Target, _ context: SystemContext
    ) async throws -> String {
        let undo = try await fault.prepare(target, in: context)
        #expect(try await Kind.leftover(of: undo, in: context) == nil)
        let effect = try await fault.inject(undo, in: context)
        #expect(try await Kind.leftover(of: undo, in: context) != nil)
        for _ in 1...2 {
            try await Kind.heal(undo, in: context)
            #expect(try await Kind.leftover(of: undo, in: context) == nil)
        }
        return effect.evidence ?? "\(effect)"
    }

    @Test func lossRateAndBlackholeAreShownOnAContainerAndHealed() async throws {
        try await withContainers { fixture in
            let target = try await fixture.container()
            let context = try context(fixture)
            let loss = try shaping(NetworkLossFault.self, "loss=20% direction=both")
            // Twice a fifth; how near a count has to be to it, the judge knows.
            #expect(try await evidence(loss, on: target, context).contains("% for 36%)"))
            let rate = try shaping(NetworkRateFault.self, "rate=10mbit")
            #expect(try await evidence(rate, on: target, context).contains("for 10mbit"))
            let blackhole = try shaping(NetworkBlackholeFault.self, "")
            #expect(try await evidence(blackhole, on: target, context).contains("(100% for 100%)"))
        }
    }

    @Test func onlyWhatGoesToTheOtherSideIsLost() async throws {
        try await withContainers { fixture in
            let (web, database, other) = (
                try await fixture.container(), try await fixture.container(), try await fixture.container()
            )
            let context = try context(fixture)
            let target = Target.between([
                TargetSide(role: "a", members: [web]), TargetSide(role: "b", members: [database]),
            ])
            let fault = try shaping(NetworkBlackholeFault.self, "")
            let undo = try await fault.prepare(target, in: context)
            guard case .confirmed = try await fault.inject(undo, in: context) else {
                Issue.record("no effect was shown")
                return
            }
            let members = [
                try await NamespaceMember(web, for: "test", in: context),
                try await NamespaceMember(database, for: "test", in: context),
                try await NamespaceMember(other, for: "test", in: context),
            ]
            let paths = [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2)].map { from, to in
                ProbePath(from: from, to: to, address: members[to].addresses[0], method: .datagram)
            }
            #expect(try await fixture.kernel.passing(paths, of: members, within: .milliseconds(300)) == [2, 3, 4])
            try await NetworkBlackholeFault.heal(undo, in: context)
            #expect(try await fixture.kernel.passing(paths, of: members, within: .milliseconds(300)).count == 5)
        }
    }

    @Test func aContainerThatIsKilledCountsAsHealed() async throws {
        try await withContainers { fixture in
            let target = try await fixture.container()
            let context = try context(fixture)
            let fault = try shaping(NetworkRateFault.self, "rate=1mbit direction=both")
            let undo = try await fault.prepare(target, in: context)
            _ = try await fault.inject(undo, in: context)
            try await fixture.engine.remove(target.name)
            try await NetworkRateFault.heal(undo, in: context)
            #expect(try await NetworkRateFault.leftover(of: undo, in: context) == nil)
        }
    }

    @Test func theMachinesOwnNetworkIsRefused() async throws {
        try await withContainers { fixture in
            let target = try await fixture.container(network: "host")
            let fault = try shaping(NetworkRateFault.self, "rate=1mbit")
            let error = await #expect(throws: FaultError.self) {
                try await fault.prepare(target, in: try context(fixture))
            }
            #expect(error?.message.contains("has the machine's own network") == true)
        }
    }
}
