import Basics
import Contracts
import Postgres
import Testing

@testable import AWS

/// Rows of Aurora's own functions as figures, and the write that must not succeed where clients' writes hang.
@Suite struct AuroraLagTests {
    private func text(_ measurements: [Measurement]) -> [String] {
        measurements.map { "\($0.node) \($0.metric) \($0.value) \($0.unit)\($0.isCensored ? " or more" : "")" }
    }

    @Test func aReplicaLagsByWhatItSaysAndASilentOneByItsSilenceToo() {
        let answer = QueryResult(rows: [
            ["orders-2", "20.5", "0.4"], ["orders-3", "1000", "60"], ["orders-4", "30", nil],
            ["orders-5", "nonsense", "1"],
            [nil, "1", "1"],
        ])
        #expect(
            text(AuroraLag.replicas(answer, probe: "p", at: ProbeFixture.instant(1))) == [
                "orders-2 replica-lag 0.0205 seconds", "orders-3 replica-lag 61.0 seconds or more",
                "orders-4 replica-lag 0.03 seconds",
            ])
    }

    @Test func thePrimaryRegionHasNoLag() {
        let answer = QueryResult(rows: [
            ["us-east-1", "-1", "-1"], ["us-west-2", "900", "1090"], ["eu-west-1", "80", nil],
        ])
        #expect(
            text(AuroraLag.regions(answer, probe: "p", at: ProbeFixture.instant(1))) == [
                "us-west-2 global-lag 0.9 seconds", "us-west-2 global-rpo 1.09 seconds",
                "eu-west-1 global-lag 0.08 seconds",
            ])
    }

    @Test func functionsAreThereOrNot() {
        let functions = AuroraFunctions(QueryResult(rows: [["t", "f"]]))
        #expect(functions.hasReplicaStatus && !functions.hasGlobalStatus)
        let none = AuroraFunctions(QueryResult())
        #expect(!none.hasReplicaStatus && !none.hasGlobalStatus)
    }

    @Test func aWriteIsSimplifiedOnceAndOnlyWhenMessagesAreRefused() {
        var write = EndpointWrite()
        func simplify(_ sqlState: String) -> Bool { write.simplify(after: sqlState) }
        let full = write.statement
        #expect(!simplify("25006") && write.statement == full)
        #expect(simplify("42501") && write.statement != full)
        #expect(!simplify("42501"))
    }
}
