import Foundation
import Testing

/// What the lab's scripts tell a person, with and without an engine.
@Suite struct LabScriptTests {
    @Test(arguments: ["up", "down", "status"])
    func helpExplainsTheScriptAndTouchesNothing(name: String) async throws {
        let result = try await Script.run("scripts/lab/\(name)", ["--help"])
        #expect(result.exitCode == 0)
        #expect(result.output.contains("scripts/lab/\(name) [--stack postgres]"))
    }

    @Test(arguments: ["up", "down", "status"])
    func withoutAnEngineTheNextCommandIsNamed(name: String) async throws {
        let result = try await Script.run(
            "scripts/lab/\(name)", ["--stack", "postgres"], environment: ["DOCKER_HOST": "unix:///nowhere.sock"])
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("\nnext:  scripts/bootstrap --lab"))
    }

    @Test func anUnknownStackIsAnsweredWithTheOnesThatExist() async throws {
        let result = try await Script.run("scripts/lab/up", ["--stack", "oracle"])
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("error: there is no stack 'oracle'; the lab has: postgres"))
    }

    @Test func aMisspeltOptionIsRefused() async throws {
        let result = try await Script.run("scripts/lab/down", ["--stakc", "postgres"])
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("error: unknown argument '--stakc'"))
    }
}

/// The running lab itself; `scripts/test` starts it and sets SQUALL_LAB.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SQUALL_LAB"] != nil, "needs the lab: scripts/lab/up"))
struct RunningLabTests {
    @Test func everyNodeStandsInARegionWithARole() async throws {
        let lines = try await Script.run("scripts/lab/status").output.split(separator: "\n")
        for (node, region, role) in [
            ("pg-1", "us-east-1", "database"), ("pg-2", "us-west-2", "database"), ("pg-3", "eu-west-1", "database"),
            ("etcd-1", "us-east-1", "consensus"), ("etcd-2", "us-west-2", "consensus"),
            ("etcd-3", "eu-west-1", "consensus"), ("pg-writer", "global", "endpoint"),
        ] {
            let line = try #require(lines.first { $0.hasPrefix("squall-\(node) ") }, "\(node) is missing")
            #expect(line.split(separator: " ")[1...2].map(String.init) == [region, role])
        }
    }
}
