import Basics
import Contracts
import Docker
import Glibc
import TestSupport
import Testing

@testable import Network

/// A partition follows real containers, and divides a group of them.
@Suite(.serialized, .enabled(if: getenv("SQUALL_LAB") != nil, "needs an engine and root: SQUALL_LAB=1"))
struct FollowLabTests {
    private func between(_ a: [Target], _ b: [Target]) -> Target {
        .between([TargetSide(role: "a", members: a), TargetSide(role: "b", members: b)])
    }

    /// Whether datagrams pass from the first to the second container where they are now.
    private func passes(_ fixture: PartitionFixture, _ from: Target, _ to: Target) async throws -> Bool {
        let members = [
            try await NamespaceMember(from, for: "test", in: fixture.context),
            try await NamespaceMember(to, for: "test", in: fixture.context),
        ]
        let paths = members[1].addresses.map { ProbePath(from: 0, to: 1, address: $0, method: .datagram) }
        return try await !fixture.kernel.passing(paths, of: members, within: .milliseconds(300)).isEmpty
    }

    @Test func aContainerThatRestartsGetsThePartitionAgainAndTheGapIsWrittenDown() async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let fault = try partition()
            let undo = try await fault.prepare(between([a], [b]), in: fixture.context)
            try await fixture.following {
                _ = try await fault.inject(undo, in: fixture.context)
                #expect(try await !passes(fixture, a, b))
                try await fixture.engine.restart(b.name, timeout: .zero)
                let ended = try await fixture.note("\(b.name) ended and its network was let go")
                let back = try await fixture.note(
                    "\(b.name) runs again: network.partition is on it again, after a gap of")
                #expect(back.at > ended.at)
                #expect(try await !passes(fixture, a, b))
                #expect(try await !passes(fixture, b, a))
                // Whoever has only the undo, which names the old namespace, still finds it.
                let leftover = try await NetworkPartitionFault.leftover(of: undo, in: try fixture.elsewhere())
                #expect(leftover != nil)
                try await NetworkPartitionFault.heal(undo, in: fixture.context)
                #expect(try await passes(fixture, a, b))
                #expect(try await NetworkPartitionFault.leftover(of: undo, in: try fixture.elsewhere()) == nil)
            }
        }
    }

    @Test func aContainerThatJoinsAnotherNetworkIsCutOffThereToo() async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let second = "\(fixture.network)-2"
            try ChildProcess.run(["docker", "network", "create", "--label", "squall.test=net", second])
            defer { _ = try? ChildProcess.run(["docker", "network", "rm", second]) }
            let fault = try partition()
            let undo = try await fault.prepare(between([a], [b]), in: fixture.context)
            _ = try await fault.inject(undo, in: fixture.context)
            for container in [a, b] { try ChildProcess.run(["docker", "network", "connect", second, container.name]) }
            _ = try await fixture.note("\(b.name) has the")
            _ = try await fixture.note("\(a.name) has the")
            let deadline = fixture.context.time.now + .seconds(5)
            while try await passes(fixture, a, b) {
                try #require(fixture.context.time.now < deadline, "packets pass over the second network")
            }
            #expect(try await !passes(fixture, b, a))
            try await NetworkPartitionFault.heal(undo, in: fixture.context)
            #expect(try await passes(fixture, a, b))
            for container in [a, b] { try await fixture.engine.remove(container.name) }
        }
    }

    @Test func aContainerThatIsKilledWhileItIsCutOffIsLetGoWithinASecond() async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let fault = try partition()
            let undo = try await fault.prepare(between([a], [b]), in: fixture.context)
            _ = try await fault.inject(undo, in: fixture.context)
            let inode = undo.block.members[1].namespace
            let killed = fixture.context.time.now
            try await fixture.engine.kill(b.name, signal: .kill)
            let ended = try await fixture.note("\(b.name) ended")
            #expect(ended.at - killed < .seconds(1))
            let gone = eventually(within: .seconds(3)) {
                !NamespaceCensus().places.contains { $0.identity == inode }
            }
            #expect(gone.holds)
            try await NetworkPartitionFault.heal(undo, in: fixture.context)
            #expect(try await NetworkPartitionFault.leftover(of: undo, in: fixture.context) == nil)
        }
    }

    @Test(arguments: ["halves", "isolate-one", "majority-minority", "bridge", "ring", "one-way", "random"])
    func aGroupIsDividedAndHealed(topology: String) async throws {
        try await withContainers { fixture in
            var members: [Target] = []
            for _ in 0..<4 { members.append(try await fixture.container()) }
            let fault = try partition([("topology", word(topology)), ("seed", word("11"))])
            let group = Target.between([TargetSide(role: "target", members: members)])
            let undo = try await fault.prepare(group, in: fixture.context)
            let effect = try await fault.inject(undo, in: fixture.context)
            guard case .confirmed(let range, let evidence) = effect else {
                Issue.record("\(topology): \(effect)")
                return
            }
            #expect(evidence.contains("(seed 11): the rules are read back"), "\(evidence)")
            #expect(evidence.contains("other ways still pass"), "\(evidence)")
            #expect(range.upper - range.lower < .milliseconds(50))
            try await NetworkPartitionFault.heal(undo, in: fixture.context)
            #expect(try await NetworkPartitionFault.leftover(of: undo, in: fixture.context) == nil)
        }
    }

    @Test func aGroupThatIsTooSmallIsRefused() async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let group = Target.between([TargetSide(role: "target", members: [a, b])])
            let fault = try partition([("topology", word("bridge"))])
            let error = await #expect(throws: FaultError.self) { try await fault.prepare(group, in: fixture.context) }
            #expect(error?.description.contains("bridge divides at least 3 containers") == true)
        }
    }
}
