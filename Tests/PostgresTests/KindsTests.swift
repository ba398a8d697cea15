import Basics
import Contracts
import Experiment
import PostgresSupport
import Testing

@testable import Postgres

/// What every kind of this module must offer, whichever it is.
@Suite struct KindsTests {
    @Test func everyKindIsRegisteredOnceAndExplained() {
        let registry = PostgresKinds.registry
        let kinds =
            registry.faults.map { $0.kind } + registry.probes.map { $0.kind } + registry.mutations.map { $0.kind }
        #expect(
            Set(kinds) == [
                "postgres.promote", "postgres.terminate-backends", "postgres.pause-replay", "postgres.cut-replication",
                "patroni.switchover", "patroni.failover", "patroni.pause", "postgres.ledger", "postgres.roles",
                "postgres.replication-lag", "postgres.query", "postgres.ledger-schema", "postgres.lag-schema",
            ])
        #expect(Set(kinds).count == kinds.count)
        let faults = registry.faults.map { ($0.kind, $0.manual, $0.parameters) }
        let probes = registry.probes.map { ($0.kind, $0.manual, $0.parameters) }
        for (kind, manual, parameters) in faults + probes {
            #expect(!manual.summary.isEmpty && !manual.details.isEmpty, "\(kind) has no manual")
            #expect(manual.example.contains(kind), "the example of \(kind) does not use it")
            #expect(parameters.allSatisfy { !$0.summary.isEmpty })
        }
        #expect(registry.faults.allSatisfy { $0.targeting == .required })
    }

    @Test func theLedgerSaysEverythingThatIsWrongAtOnce() {
        let here = Location(file: "f", line: 1, column: 1)
        func entry(_ key: String, _ value: String) -> Node.Entry {
            .init(key, at: here, .scalar(.init(value, isQuoted: true, at: here)))
        }
        var diagnostics = Diagnostics()
        let mapping = Node.mapping(
            .init(
                [
                    entry("dsn", "host=a password=visible"), entry("rate", "200"), entry("conections", "both"),
                    entry("timeout", "0s"),
                ], at: here))
        let probe = ParameterReader.read(mapping, LedgerProbe.parameters, into: &diagnostics) {
            LedgerProbe(name: "orders", from: &$0)
        }
        #expect(probe == nil)
        let messages = diagnostics.all.map(\.message).joined(separator: "\n")
        #expect(diagnostics.all.count == 4)
        #expect(messages.contains("clear text") && messages.contains("unknown key 'conections'"))
        #expect(!messages.contains("visible"))
    }
}
