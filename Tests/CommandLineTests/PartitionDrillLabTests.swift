import Basics
import Foundation
import Glibc
import Process
import Testing

/// A primary that is cut off, watched by a client of its own on each node: what Squall says is compared with that.
@Suite(.serialized, .enabled(if: getenv("SQUALL_LAB") != nil, "needs the lab: scripts/lab/up, then SQUALL_LAB=1"))
struct PartitionDrillLabTests {
    /// Asks a node who it is, all the time: one line per answer with the instants before and after it in nanoseconds.
    private static func watch(_ port: Int) -> String {
        """
        while :; do
          from=$(date +%s%N)
          answer=$(PGCONNECT_TIMEOUT=2 timeout 3 psql -h 127.0.0.1 -p \(port) -U postgres -d app -XAtc \
            'SELECT pg_is_in_recovery()' 2>/dev/null) || answer=none
          echo "$from $(date +%s%N) $answer"
          sleep 0.2
        done
        """
    }

    /// When a node was primary for certain: from its first answer that says so to the last question that was answered so.
    private struct Reign {
        var first: Int64
        var last: Int64

        init?(_ lines: String) {
            let looks = lines.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.last == "f" }
            guard let first = looks.first, let last = looks.last, let began = Int64(first[1]),
                let asked = Int64(last[0])
            else { return nil }
            self.first = began
            self.last = asked
        }
    }

    /// Looks at every node as long as `body` runs, and says when each that ever led did so, in that order.
    private static func reigns<Value>(during body: () async throws -> Value) async throws -> (Value, [Reign]) {
        let paths = (5_001...5_003).map { (port: $0, path: "\(SquallBinary.root)/runs/watch-\(getpid())-\($0)") }
        defer { for (_, path) in paths { remove(path) } }
        let value = try await withThrowingTaskGroup(of: Void.self) { group in
            for (port, path) in paths {
                // Ends when it is cancelled, or with its limit.
                group.addTask { _ = try? await Lab.shell("{ \(watch(port)); } >'\(path)'", limit: .minutes(5)) }
            }
            defer { group.cancelAll() }
            return try await body()
        }
        return (value, try paths.compactMap { Reign(try read($0.path)) }.sorted { $0.first < $1.first })
    }

    @Test func whoIsCutOffStepsDownWithinItsLeaseAndBeforeAnotherOneLeads() async throws {
        try await Lab.healthy()
        let ((run, verdict), reigns) = try await Self.reigns {
            try await Lab.run("experiments/cross-region/failover/postgres-primary-cut-off.yaml")
        }
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        for name in ["rto", "rpo", "split-brain", "availability", "recovery"] {
            #expect(
                verdict.criteria[name]?.verdict == "pass", "\(name): \(verdict.criteria[name]?.reason ?? "missing")")
        }
        #expect(verdict.leftovers == 0)
        // The key lives 20 s from its last renewal, which is up to 5 s old when the cut comes.
        let rto = try #require(verdict.criteria["rto"]?.measured)
        #expect((10.0...35.0).contains(rto), "\(rto)")

        try #require(reigns.count == 2, "\(reigns.count) nodes were primary")
        let (old, new) = (reigns[0], reigns[1])
        #expect(old.last < new.first, "both were primary for \(old.last - new.first) ns")
        // Patroni's ttl.
        let cut = try verdict.effective("cut:consensus")
        #expect(old.last - cut < 20_000_000_000, "it led for \(old.last - cut) ns after the cut")
        try await Lab.healthy()
        try await Lab.nothingOfOursIsLeft()
    }
}
