import Basics
import Foundation
import Glibc
import Process
import Testing

/// The shipped Redis experiments against the lab's Sentinels and its cluster, each with the verdict it must have.
@Suite(.serialized, .enabled(if: getenv("SQUALL_LAB") != nil, "needs an engine and a build: SQUALL_LAB=1"))
struct RedisExperimentLabTests {
    /// What a run must say, by criterion.
    struct Expected: Sendable, CustomTestStringConvertible {
        var file: String
        var code: Int32
        /// Criterion → verdict.
        var verdicts: [String: String]
        /// Criterion → what must have been measured at least and at most, in its own unit.
        var between: [String: ClosedRange<Double>] = [:]
        var stack: String { file.contains("redis-cluster") ? "redis-cluster" : "redis" }
        var testDescription: String { file }
    }

    static let experiments = [
        // R8: two seconds of silence, the vote, the promotion; a handful of writes at most.
        Expected(
            file: "disaster-recovery/redis-primary-loss", code: 0,
            verdicts: [
                "rto": "pass", "rpo": "pass", "split-brain": "pass", "availability": "pass", "recovery": "pass",
            ],
            between: ["rto": 2...10]),
        // The old primary takes the pinned client's 100 writes a second for some ten seconds.
        Expected(
            file: "integration/cache/redis-sentinel-failover", code: 1,
            verdicts: ["rto": "pass", "rpo": "fail", "availability": "pass", "recovery": "pass"],
            between: ["rpo": 500...2_500]),
        Expected(
            file: "disaster-recovery/redis-primary-frozen", code: 1,
            verdicts: ["split-brain": "fail", "rpo": "fail", "recovery": "pass"],
            between: ["split-brain": 5...20, "rpo": 200...2_000]),
        Expected(
            file: "disaster-recovery/redis-primary-frozen-with-min-replicas", code: 0,
            verdicts: ["rpo": "pass", "recovery": "pass"]),
        // 20 writes a second for eight seconds.
        Expected(
            file: "disaster-recovery/redis-fork", code: 1,
            verdicts: ["split-brain": "fail", "rpo": "fail", "recovery": "pass"],
            between: ["split-brain": 7...10, "rpo": 140...200]),
        // R7: some 400 writes that no replica had applied when the primary died.
        Expected(
            file: "disaster-recovery/redis-replicas-frozen", code: 0,
            verdicts: [
                "rto": "pass", "rpo": "pass", "split-brain": "pass", "availability": "pass", "recovery": "pass",
            ],
            between: ["rto": 1...10, "rpo": 0...10]),
        Expected(
            file: "disaster-recovery/redis-sentinel-majority-lost", code: 0,
            verdicts: ["split-brain": "pass", "rto": "pass", "rpo": "pass", "recovery": "pass"],
            between: ["rto": 14...25]),
        Expected(
            file: "disaster-recovery/redis-cluster-node-loss", code: 0,
            verdicts: [
                "rto": "pass", "rpo": "pass", "split-brain": "pass", "availability": "pass", "recovery": "pass",
            ],
            between: ["rto": 2...15]),
        Expected(
            file: "integration/cache/redis-cluster-takeover", code: 0,
            verdicts: ["rto": "pass", "rpo": "pass", "availability": "pass", "recovery": "pass"]),
    ]

    @Test(arguments: experiments)
    func hasTheVerdictItMustHaveAndLeavesNothing(expected: Expected) async throws {
        let up = try await Lab.shell("scripts/lab/up --stack \(expected.stack)", limit: .minutes(5))
        try #require(up.exitCode == 0, "\(up.output.text)\(up.errors.text)")
        let (run, verdict) = try await Lab.run("experiments/\(expected.file).yaml")
        #expect(run.code == expected.code, "\(run.output)\(run.errors)")
        for (name, wanted) in expected.verdicts {
            let criterion = verdict.criteria[name]
            #expect(criterion?.verdict == wanted, "\(name): \(criterion?.reason ?? "missing")")
        }
        for (name, range) in expected.between {
            let criterion = try #require(verdict.criteria[name])
            #expect(range.contains(criterion.measured ?? -1), "\(name): \(criterion.reason)")
        }
        #expect(verdict.leftovers == 0)
        try await nothingOfOursIsLeft(in: expected.stack)
        // The next one may need the other stack; both together would be a load on each other's figures.
        let down = try await Lab.shell("scripts/lab/down --stack \(expected.stack)")
        #expect(down.exitCode == 0, "\(down.errors.text)")
    }

    /// Asks the servers themselves, before anything mends them: each must answer, and have none of our keys and settings.
    private func nothingOfOursIsLeft(in stack: String) async throws {
        let ports = stack == "redis" ? [6_381, 6_382, 6_383] : Array(6_391...6_396)
        for port in ports {
            let state = try await Lab.shell(
                """
                sleep 0.3
                redis-cli -p \(port) KEYS 'squall:*' && redis-cli -p \(port) CONFIG GET min-replicas-to-write | tail -1
                """)
            let lines = state.output.text.split(separator: "\n").filter { !$0.isEmpty }
            #expect(lines == ["0"], "port \(port): \(state.output.text)\(state.errors.text)")
        }
    }
}
