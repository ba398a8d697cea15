import Basics
import Contracts
import Docker
import Glibc
import Process
import TestSupport
import Testing

@testable import Network

/// The real binary, killed and stopped while containers are cut off from each other.
@Suite(.serialized, .enabled(if: getenv("SQUALL_LAB") != nil, "needs an engine, root and a build: SQUALL_LAB=1"))
struct PartitionDeathLabTests {
    private static let root = String(#filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" })
    private static let binary =
        getenv("SQUALL_BINARY").map { String(cString: $0) } ?? "\(root)/.build/release/squall"

    private static func experiment(_ a: String, _ b: String, duration: String) -> String {
        """
        title: A partition whose controller dies
        targets:
          a: {docker: {names: [\(a)]}}
          b: {docker: {names: [\(b)]}}
        method:
          - {name: cut, fault: network.partition, between: {a: a, b: b}, duration: \(duration)}
        criteria:
          recovery: {within: 1m}
        limits: {max-targets: 2, max-duration: 2m}
        """
    }

    /// A run of the binary and datagrams between its two targets, from outside of it.
    private struct Victim {
        let fixture: PartitionFixture
        let folder: TemporaryFolder
        let block: Block
        let paths: [ProbePath]
        let squall: ChildProcess

        init(_ fixture: PartitionFixture, duration: String) async throws {
            self.fixture = fixture
            folder = try TemporaryFolder()
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let target = Target.between([TargetSide(role: "a", members: [a]), TargetSide(role: "b", members: [b])])
            // Only to know where the two are; nothing is installed by this process.
            let undo = try await partition().prepare(target, in: fixture.context)
            block = undo.block
            paths = [ProbePath(from: 0, to: 1, address: block.members[1].addresses[0], method: .datagram)]
            let file = try folder.write(experiment(a.name, b.name, duration: duration), to: "cut.yaml")
            squall = try ChildProcess([
                "env", "SQUALL_STATE_DIR=\(folder.path)/state", binary, "run", file, "--runs", "\(folder.path)/runs",
            ])
        }

        func passes(within limit: Span) async throws -> Bool {
            try await fixture.kernel.passing(paths, of: block.members, within: limit) == [0]
        }

        /// Packets that are late on a busy machine look cut off, too: first the run itself says that the fault is there.
        func waitUntilCut() async throws {
            try await first("the run observes its fault", within: .seconds(30)) {
                written("events.ndjson", "observing")
            }
            try await first("the two are cut off") { try await !passes(within: .milliseconds(60)) }
        }

        /// Tries until it holds; fails after ten seconds.
        func first(_ what: Comment, within limit: Span = .seconds(10), _ holds: () async throws -> Bool) async throws {
            let deadline = fixture.context.time.now + limit
            while fixture.context.time.now < deadline {
                if try await holds() { return }
            }
            Issue.record(what)
        }

        func verdict() -> String? {
            try? ChildProcess.run(["sh", "-c", "cat \(folder.path)/runs/latest/verdict.json"])
        }

        private func written(_ file: String, _ word: String) -> Bool {
            (try? ChildProcess.run(["grep", "-q", word, "\(folder.path)/runs/latest/\(file)"])) != nil
        }
    }

    @Test func trafficIsBackWithinAHundredMillisecondsOfSIGKILL() async throws {
        try #require(access(Self.binary, X_OK) == 0, "\(Self.binary) is missing: swift build -c release")
        try await withContainers { fixture in
            let victim = try await Victim(fixture, duration: "60s")
            try await victim.waitUntilCut()
            let killed = fixture.context.time.now
            kill(victim.squall.pid, SIGKILL)
            try await victim.first("packets pass again") { try await victim.passes(within: .milliseconds(15)) }
            let after = fixture.context.time.now - killed
            #expect(after < .milliseconds(100), "after \(after)")
            // The medic reads the clean state back, and says what became of the run.
            try await victim.first("the medic has judged", within: .seconds(20)) { victim.verdict() != nil }
            let verdict = victim.verdict() ?? ""
            #expect(verdict.contains("\"exit-code\": 5"))
            #expect(verdict.contains("\"verified\": true"))
            #expect(verdict.contains("\"leftovers\": []"))
        }
    }

    @Test func aHungControllerBlocksNobodyForLongAndIsNotOverruledWhenItWakes() async throws {
        try #require(access(Self.binary, X_OK) == 0, "\(Self.binary) is missing: swift build -c release")
        try await withContainers { fixture in
            let victim = try await Victim(fixture, duration: "20s")
            try await victim.waitUntilCut()
            let stopped = fixture.context.time.now
            kill(victim.squall.pid, SIGSTOP)
            try await victim.first("packets pass again", within: .seconds(20)) {
                try await victim.passes(within: .milliseconds(60))
            }
            let after = fixture.context.time.now - stopped
            #expect(after < LocalNetworkKernel.lease + .seconds(1), "after \(after)")
            kill(victim.squall.pid, SIGCONT)
            // Longer than the renewals are apart: what ran out stays out.
            let end = fixture.context.time.now + .seconds(4)
            while fixture.context.time.now < end { #expect(try await victim.passes(within: .milliseconds(300))) }
            // A fault that ended before its time proves nothing: such a run must not pass.
            try await victim.first("the run has ended", within: .seconds(40)) { victim.verdict() != nil }
            let verdict = victim.verdict() ?? ""
            #expect(verdict.contains("\"exit-code\": 3"))
            #expect(verdict.contains("the kernel lifted it"))
            #expect(verdict.contains("\"leftovers\": []"))
        }
    }
}
