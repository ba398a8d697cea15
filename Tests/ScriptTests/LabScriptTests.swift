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
        let (found, stacks) = ("error: there is no stack 'oracle'; the lab has: ", ["postgres", "redis", "cloud"])
        let line = result.errors.split(separator: "\n").first { $0.hasPrefix(found) }
        let listed = line?.dropFirst(found.count).split(separator: " ").map(String.init) ?? []
        #expect(Set(stacks).isSubset(of: listed), "\(result.errors)")
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
    private static let regions = ["us-east-1", "us-west-2", "eu-west-1"]

    @Test(arguments: [
        ("postgres", ["pg": "database", "etcd": "consensus"], 3),
        ("redis", ["redis": "cache", "sentinel": "sentinel"], 3),
        ("redis-cluster", ["redis-cluster": "cache"], 6),
    ])
    func everyNodeStandsInARegionWithARole(stack: String, roles: [String: String], count: Int) async throws {
        let running = try await Script.run("scripts/lab/status", ["--stack", stack])
        // The Redis stacks start in seconds; the other one is there when SQUALL_LAB is set. What was there stays.
        let wasThere = running.output.contains("\nsquall-") || stack == "postgres"
        let status = running.exitCode == 0 ? running : try await Script.run("scripts/lab/up", ["--stack", stack])
        #expect(status.exitCode == 0, "\(status.output)\(status.errors)")
        let lines = status.output.split(separator: "\n")
        func place(_ node: String) throws -> [String] {
            let line = try #require(lines.first { $0.hasPrefix("squall-\(node) ") }, "\(node) is missing")
            return line.split(separator: " ")[1...2].map(String.init)
        }
        for (name, role) in roles {
            for number in 1...count {
                #expect(try place("\(name)-\(number)") == [Self.regions[(number - 1) % 3], role])
            }
        }
        if stack == "postgres" { #expect(try place("pg-writer") == ["global", "endpoint"]) }
        if !wasThere { _ = try await Script.run("scripts/lab/down", ["--stack", stack]) }
    }
}
