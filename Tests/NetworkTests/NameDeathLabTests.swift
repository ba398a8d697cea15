import Basics
import Contracts
import Docker
import Glibc
import Process
import TestSupport
import Testing

@testable import Network

/// The real binary, killed and stopped while names are taken away from a container.
@Suite(.serialized, .enabled(if: getenv("SQUALL_LAB") != nil, "needs an engine, root and a build: SQUALL_LAB=1"))
struct NameDeathLabTests {
    private static let root = String(#filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" })
    private static let binary =
        getenv("SQUALL_BINARY").map { String(cString: $0) } ?? "\(root)/.build/release/squall"

    /// A run of the binary that drops queries for a container's own name, and that question asked from outside of it.
    private struct Victim {
        let fixture: PartitionFixture
        let folder: TemporaryFolder
        let member: NamespaceMember
        let name: DomainName
        let server: AddressRange
        let squall: ChildProcess

        init(_ fixture: PartitionFixture) async throws {
            self.fixture = fixture
            folder = try TemporaryFolder()
            let target = try await fixture.container()
            member = try await NamespaceMember(target, for: "test", in: fixture.context)
            name = try #require(DomainName(parsing: target.name))
            server = try #require(AddressRange(parsing: "127.0.0.11"))
            let file = try folder.write(
                """
                title: Names are gone when the controller dies
                targets:
                  web: {docker: {names: [\(target.name)]}}
                method:
                  - {name: names, fault: network.dns, target: web, names: [\(target.name)], mode: drop, duration: 60s}
                criteria:
                  recovery: {within: 1m}
                limits: {max-targets: 1, max-duration: 3m}
                """, to: "names.yaml")
            squall = try ChildProcess([
                "env", "SQUALL_STATE_DIR=\(folder.path)/state", binary, "run", file, "--runs", "\(folder.path)/runs",
            ])
            try await first("the name is gone") { try await !isAnswered(within: .milliseconds(500)) }
        }

        func isAnswered(within limit: Span) async throws -> Bool {
            try await fixture.kernel.ask(name, .version4, of: server, from: member.process, within: limit) != nil
        }

        func first(_ what: Comment, within limit: Span = .seconds(20), _ holds: () async throws -> Bool) async throws {
            let deadline = fixture.context.time.now + limit
            while fixture.context.time.now < deadline {
                if try await holds() { return }
            }
            Issue.record(what)
        }

        func verdict() -> String? {
            try? ChildProcess.run(["sh", "-c", "cat \(folder.path)/runs/latest/verdict.json"])
        }
    }

    @Test func namesAreBackAtOnceAfterSIGKILLAndTheMedicFindsNothing() async throws {
        try #require(access(Self.binary, X_OK) == 0, "\(Self.binary) is missing: swift build -c release")
        try await withContainers { fixture in
            let victim = try await Victim(fixture)
            let killed = fixture.context.time.now
            kill(victim.squall.pid, SIGKILL)
            try await victim.first("the name is answered again") {
                try await victim.isAnswered(within: .milliseconds(20))
            }
            let after = fixture.context.time.now - killed
            #expect(after < .milliseconds(300), "after \(after)")
            try await victim.first("the medic has judged") { victim.verdict() != nil }
            let verdict = victim.verdict() ?? ""
            #expect(verdict.contains("\"exit-code\": 5"))
            #expect(verdict.contains("\"verified\": true"))
            #expect(verdict.contains("\"leftovers\": []"))
        }
    }

    @Test func aHungControllerTakesNamesAwayForOneLeaseAtMost() async throws {
        try #require(access(Self.binary, X_OK) == 0, "\(Self.binary) is missing: swift build -c release")
        try await withContainers { fixture in
            let victim = try await Victim(fixture)
            let stopped = fixture.context.time.now
            kill(victim.squall.pid, SIGSTOP)
            try await victim.first("the name is answered again") {
                try await victim.isAnswered(within: .milliseconds(100))
            }
            let after = fixture.context.time.now - stopped
            #expect(after < LocalNetworkKernel.lease + .seconds(1), "after \(after)")
            kill(victim.squall.pid, SIGKILL)
            kill(victim.squall.pid, SIGCONT)
            try await victim.first("the medic has judged") { victim.verdict() != nil }
        }
    }
}
