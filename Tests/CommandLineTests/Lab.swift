import Basics
import Foundation
import Glibc
import Process
import Testing

/// The lab's cluster, as tests use it and ask about it past Squall.
enum Lab {
    /// Runs an experiment by its path below the clone's root.
    static func run(_ path: String) async throws -> (SquallBinary.Outcome, Verdict) {
        let run = try await SquallBinary.run(["run", path], in: SquallBinary.root, limit: .minutes(10))
        return (run, try Verdict("\(SquallBinary.root)/runs/latest"))
    }

    /// One primary, two replicas that stream; a drill that has just ended may still be resyncing.
    static func healthy() async throws {
        let up = try await shell("scripts/lab/up --stack postgres", limit: .minutes(5))
        try #require(up.exitCode == 0, "\(up.output.text)\(up.errors.text)")
    }

    /// Asks the databases, the engine and the kernel, not Squall.
    static func nothingOfOursIsLeft() async throws {
        for port in 5_001...5_003 {
            let query = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'squall%'"
            let schemas = try await shell("psql -h 127.0.0.1 -p \(port) -U postgres -d app -Atc \"\(query)\"")
            #expect(schemas.output.text == "0\n", "port \(port): \(schemas.output.text)\(schemas.errors.text)")
        }
        let twins = try await shell("docker ps -a --filter name=squall-undo --format '{{.Names}}'")
        #expect(twins.output.text.isEmpty)
        let stopped = try await shell(
            "docker ps -a --filter label=squall.stack=postgres --filter status=exited --filter status=paused --format '{{.Names}}'"
        )
        #expect(stopped.output.text.isEmpty)
        let tables = try await shell(
            """
            set -euo pipefail
            for pid in $(docker ps --quiet --filter label=squall.stack | xargs docker inspect --format '{{.State.Pid}}'); do
              nsenter --net="/proc/$pid/ns/net" nft list tables
            done
            """)
        #expect(tables.exitCode == 0, "\(tables.errors.text)")
        #expect(!tables.output.text.contains("squall"), "\(tables.output.text)")
    }

    /// A shell line in the clone's root, as a person would type it.
    static func shell(_ line: String, limit: Span = .minutes(2)) async throws -> CommandResult {
        var environment: [String: String] = [:]
        for name in ["HOME", "PATH", "USER", "DOCKER_HOST", "CI"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        let command = Command(
            ["bash", "-c", line], environment: environment, directory: SquallBinary.root, outputLimit: 4_194_304)
        return try await LocalCommandRunner().run(command, until: SystemTimeSource().now + limit)
    }
}

/// What a test reads of `verdict.json`.
struct Verdict: Decodable {
    struct Criterion: Decodable {
        var name: String
        var verdict: String
        var reason: String
        var measured: Double?
        var lower: Double?
        var upper: Double?
    }

    private struct Anything: Decodable {}

    struct Fault: Decodable {
        enum CodingKeys: String, CodingKey {
            case name
            case effectiveAt = "effective-at"
        }

        var name: String
        /// By the machine's clock, in ISO 8601 with milliseconds.
        var effectiveAt: String?
    }

    private struct Document: Decodable {
        var criteria: [Criterion]
        var faults: [Fault]
        var leftovers: [Anything]
    }

    var criteria: [String: Criterion]
    var faults: [Fault]
    var leftovers: Int

    init(_ folder: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/verdict.json"))
        let document = try JSONDecoder().decode(Document.self, from: data)
        criteria = Dictionary(document.criteria.map { ($0.name, $0) }) { first, _ in first }
        faults = document.faults
        leftovers = document.leftovers.count
    }

    /// When the first fault that bears the name was in effect, in nanoseconds since 1970.
    func effective(_ name: String) throws -> Int64 {
        let text = try #require(faults.first { $0.name == name }?.effectiveAt, "\(name) never took effect")
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return Int64(try #require(formatter.date(from: text), "\(text)").timeIntervalSince1970 * 1e9)
    }
}
