import Basics
import Foundation
import Glibc
import Process
import Testing

/// The shipped AWS experiment on the lab's cloud, whose FailoverDBCluster makes a real Patroni switchover.
@Suite(.serialized, .enabled(if: getenv("SQUALL_LAB") != nil, "needs an engine and a build: SQUALL_LAB=1"))
struct CloudExperimentLabTests {
    static let environment = """
        export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=AKIASQUALLLAB0000001
        export AWS_SECRET_ACCESS_KEY=squall-lab-secret-0000000000000000000001
        """

    @Test func aFailoverIsMeasuredOnRealDataAndItsEndpointMoves() async throws {
        let up = try await Lab.shell("scripts/lab/up --stack cloud", limit: .minutes(8))
        try #require(up.exitCode == 0, "\(up.output.text)\(up.errors.text)")
        let before = try await writer()
        let run = try await Lab.shell(
            """
            \(Self.environment)
            .build/release/squall run experiments/disaster-recovery/aurora-failover.yaml
            """, limit: .minutes(10))
        #expect(run.exitCode == 0, "\(run.output.text)\(run.errors.text)")
        let verdict = try Verdict("\(SquallBinary.root)/runs/latest")
        for name in ["rto", "rpo", "split-brain", "availability", "recovery"] {
            #expect(
                verdict.criteria[name]?.verdict == "pass", "\(name): \(verdict.criteria[name]?.reason ?? "missing")")
        }
        #expect(verdict.leftovers == 0)
        // The database itself says that another node writes, and the name leads to it.
        let after = try await writer()
        #expect(before != after)
        let history = try await Lab.shell("cat runs/latest/events.ndjson")
        #expect(history.output.text.contains("Completed failover to DB instance: \(after)"))
        #expect(history.output.text.contains("failover is over: \(after) writes"))
        // Sent once, whatever happened to its answer.
        let calls = try await Lab.shell("curl -s 'http://127.0.0.1:4566/squall-lab/calls?action=FailoverDBCluster'")
        #expect(calls.output.text.components(separatedBy: "FailoverDBCluster").count == 2, "\(calls.output.text)")
        let down = try await Lab.shell("scripts/lab/down --stack cloud")
        #expect(down.exitCode == 0, "\(down.errors.text)")
    }

    /// Which node takes writes, asked past everything.
    private func writer() async throws -> String {
        let result = try await Lab.shell(
            """
            for port in 1 2 3; do
                answer=$(psql "host=127.0.0.1 port=500$port user=postgres dbname=app" -Atc 'SELECT pg_is_in_recovery()')
                if [ "$answer" = f ]; then echo "pg-$port"; fi
            done
            """)
        return result.output.text.split(separator: "\n").joined(separator: ",")
    }
}
