package import Basics
package import Contracts
package import Experiment

/// Measures how far each standby is behind, in time, with a heartbeat of its own.
package struct ReplicationLagProbe: Probe {
    package static let kind = "postgres.replication-lag"
    package static let manual = Manual(
        summary: "Measures in seconds how far each PostgreSQL standby is behind its primary.",
        details: """
            A row is updated through `dsn` at a constant pace, and each node is asked directly which beat it shows. The lag \
            is the time since the first acknowledged beat that the node does not show yet; 0 when it shows the newest. It \
            is known to one interval (`every`). A node that does not answer is measured too: its lag is at least the time \
            since the last beat it was known to lack, and marked as a lower bound. A node that is primary has no lag.

            pg_last_xact_replay_timestamp is not used: on an idle system it grows without any lag. The row stands in a \
            schema of its own, squall_<run>_<probe>, which is in the journal before it is created and dropped in the end.
            """,
        example: """
            lag:
              type: postgres.replication-lag
              dsn: "host=127.0.0.1 port=5000 user=postgres dbname=app"
              nodes: {pg-2: "host=127.0.0.1 port=5002 user=postgres dbname=app"}
            """)
    package static let emits: Set<ObservationKind> = [.measurements]
    package static let changes = [OwnedSchema.plan(holding: "its heartbeat")]
    package static let metrics = ["lag"]

    private static let dsnParameter = Parameter<DSN>.required(
        "dsn", .dsn, "The endpoint that leads to the primary; the heartbeat is written there.")
    private static let nodesParameter = Parameter<[NamedValue<NodeAddress>]>.required(
        "nodes", .map(NodeAddress.type), "The nodes to ask, each at its own address.")
    private static let everyParameter = Parameter<Span>.defaulted(
        "every", .span, to: .milliseconds(100), written: "100ms", "The time between two beats, and between two looks.")
    private static let timeoutParameter = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(1), written: "1s", "After this a node has not answered.")
    package static let parameters: [any AnyParameter] = [
        dsnParameter, nodesParameter, everyParameter, timeoutParameter,
    ]

    package let name: Label
    package let dsn: DSN
    package let nodes: [NamedValue<NodeAddress>]
    package let every: Span
    package let timeout: Span

    package init(name: Label, from reader: inout ParameterReader) {
        self.init(
            name: name, dsn: reader.value(Self.dsnParameter), nodes: reader.value(Self.nodesParameter),
            every: reader.value(Self.everyParameter), timeout: reader.value(Self.timeoutParameter))
        if nodes.isEmpty { reader.diagnostics.error("no node is listed", at: reader.location(of: "nodes")) }
        if every <= .zero || timeout <= .zero {
            reader.diagnostics.error("every and timeout must be longer than nothing", at: reader.location)
        }
    }

    package init(name: Label, dsn: DSN, nodes: [NamedValue<NodeAddress>], every: Span, timeout: Span) {
        self.name = name
        self.dsn = dsn
        self.nodes = nodes
        self.every = every
        self.timeout = timeout
    }

    package func target(forNode node: Label) -> Target? {
        nodes.first { $0.name == node.text }?.value.target(named: node)
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        var findings: [Finding] = []
        do throws(FaultError) {
            let settings = LedgerSettings(dsn: dsn, rate: Rate(perSecond: 1), timeout: timeout)
            let client = try context.services.require(PostgresClient.self)
            _ = try await LedgerEndpoint.inspect(settings, client, context)
            for node in nodes {
                if let finding = await client.finding(on: node, probe: name, in: context) { findings.append(finding) }
            }
        } catch {
            findings.append(Finding(.error, "probe \(name): \(error.explained)", advice: error.advice))
        }
        return findings
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        let client = try context.system.services.require(PostgresClient.self)
        let owned = OwnedSchema(
            schema: schemaName(run: context.system.run, probe: name.text),
            mark: ownerMark(run: context.system.run, probe: name.text), dsn: dsn, nodes: nodes.map(\.value.dsn))
        let mutation = try await context.journal(LagSchema.kind, dsn.text, try journalled(owned))
        let deadline = context.system.time.now + .seconds(10)
        let action = "schema \(owned.schema) could not be created at \(dsn)"
        _ = try await client.session(dsn, in: context.system, until: deadline, action) {
            connection throws(PostgresError) in
            try await connection.execute(
                script: """
                    CREATE SCHEMA \(owned.schema);
                    COMMENT ON SCHEMA \(owned.schema) IS '\(owned.mark)';
                    CREATE TABLE \(owned.schema).heartbeat (beat bigint NOT NULL);
                    INSERT INTO \(owned.schema).heartbeat VALUES (0);
                    """, until: deadline)
        }
        return ReplicationLagSession(self, owned, mutation, client, context)
    }
}
