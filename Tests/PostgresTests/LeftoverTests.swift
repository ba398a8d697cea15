import Basics
import Contracts
import Experiment
import PostgresSupport
import Testing

@testable import Postgres

/// Marks of ours in a database, found without any journal of the run that left them.
@Suite struct LeftoverTests {
    @Test func aCutAndASchemaAreFoundByTheirMarksAndOnlyWhileTheyAreThere() async throws {
        try await Cluster.withPair { cluster, primary, standby in
            let fault = CutReplicationFault()
            let run = try await FaultRun(fault, target("standby", standby), in: cluster.context)
            let table = LedgerTable(run: "Run-7", probe: "orders")
            try await cluster.ask(primary, "CREATE SCHEMA \(table.schema)")
            try await cluster.ask(primary, "COMMENT ON SCHEMA \(table.schema) IS '\(table.mark)'")
            // Somebody's schema with a name like ours.
            try await cluster.ask(primary, "CREATE SCHEMA squall_museum")
            let places = [
                KnownSystems.Place(
                    kind: "postgres.roles",
                    document: .object([
                        "nodes": .object([
                            "a": .object(["dsn": .string(primary.dsn.text)]), "b": .string(standby.dsn.text),
                        ])
                    ]), secrets: .empty)
            ]
            let known = KnownSystems(places: places, runs: ["Run-7", "test-1"])
            let found = await PostgresLeftovers().scan(known, in: cluster.context)
            #expect(found.map(\.failure) == [nil, nil])
            #expect(found.first?.marks.map(\.run) == ["Run-7"])
            #expect(found.first?.marks.first?.leftover.description == "schema \(table.schema) ('\(table.mark)')")
            #expect(found.last?.marks.map(\.run) == ["test-1"])
            #expect(found.last?.marks.first?.leftover.kind == "postgres.cut-replication")
            try await run.heal()
            try await cluster.ask(primary, "DROP SCHEMA \(table.schema)")
            let clean = await PostgresLeftovers().scan(known, in: cluster.context)
            #expect(clean.flatMap(\.marks).isEmpty)
        }
    }

    @Test func aServerThatDoesNotAnswerIsSaidToBeUnknown() async throws {
        try await Cluster.with { cluster in
            let place = KnownSystems.Place(
                kind: "postgres.promote",
                document: .object([
                    "target": .object(["dsn": .string("host=127.0.0.1 port=1 user=u"), "node": .string("pg-1")])
                ]), secrets: .empty)
            let known = KnownSystems(places: [place, place], runs: [])
            let found = await PostgresLeftovers().scan(known, in: cluster.context)
            #expect(found.count == 1)
            #expect(found.first?.failure?.contains("127.0.0.1") == true)
        }
    }
}
