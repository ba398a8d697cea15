package import Basics
package import Contracts
package import Experiment

/// Writes unique rows at a constant rate and remembers what was acknowledged; in the end it reads what is left.
package struct LedgerProbe: Probe {
    package static let kind = "postgres.ledger"
    package static let manual = Manual(
        summary: "Writes unique rows to PostgreSQL at a constant rate, remembers every acknowledgement and reads back.",
        details: """
            Arrivals are due at fixed instants whatever the system does. `rate` is the rate at the endpoint as a whole; \
            with `connections: both` arrivals take turns between a pool of kept connections (what an application sees) \
            and a fresh connection per write (what the service offers), so each way gets half. `direct` adds writers \
            that go to each node past the endpoint, at `direct-rate` each, on the paths `direct:<node>`.

            A write is ok when the server is ready again after its commit without a warning. It has failed only with \
            proof: refused or rejected before a byte was sent, or rolled back by an error that PostgreSQL raises before \
            a commit. A timeout, a broken connection, a shutdown and an acknowledgement with a warning (a commit whose \
            wait for the standby was cancelled) are unknown. A connection whose write timed out is closed and a cancel \
            request is sent; a kept connection that meets a read-only server (25006) is closed too.

            The rows stand in a schema of their own, squall_<run>_<probe>, without a unique constraint. It is in the \
            journal before it is created and is dropped at the end. The user needs CREATE on the database.

            A complete stall holds rate × timeout connections. Preflight compares that with what the server has left: \
            with fewer, arrivals beyond them count as failed (unsent); with less than a tenth the run is refused. \
            Connections are opened as needed, and surplus ones are closed after ten seconds.
            """,
        example: """
            orders:
              type: postgres.ledger
              dsn: "host=127.0.0.1 port=5000 user=postgres dbname=app"
              rate: 200/s
              timeout: 1s
              nodes:
                pg-1: "host=127.0.0.1 port=5001 user=postgres dbname=app"
                pg-2: "host=127.0.0.1 port=5002 user=postgres dbname=app"
            """)
    package static let parameters = LedgerSettings.parameters
    package static let emits: Set<ObservationKind> = [.operations, .readBacks]
    package static let changes = [OwnedSchema.plan(holding: "its ledger")]

    package let name: Label
    package let settings: LedgerSettings

    package init(name: Label, from reader: inout ParameterReader) {
        self.init(name: name, LedgerSettings(from: &reader))
    }

    package init(name: Label, _ settings: LedgerSettings) {
        self.name = name
        self.settings = settings
    }

    package func target(forNode node: Label) -> Target? {
        settings.nodes.first { $0.name == node.text }?.value.target(named: node)
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            let client = try context.services.require(PostgresClient.self)
            var findings = sizingFindings(try await LedgerEndpoint.inspect(settings, client, context).sizing)
            for node in settings.nodes {
                if let finding = await client.finding(on: node, probe: name, in: context) { findings.append(finding) }
            }
            return findings
        } catch {
            return [Finding(.error, "probe \(name): \(error.explained)", advice: error.advice)]
        }
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        let client = try context.system.services.require(PostgresClient.self)
        let endpoint = try await LedgerEndpoint.inspect(settings, client, context.system)
        guard !endpoint.sizing.isUseless else {
            throw FaultError(
                .notApplicable, "probe \(name): \(shortage(endpoint.sizing))", advice: "lower rate or timeout")
        }
        return try await LedgerSession.start(name, settings, endpoint, client, context)
    }

    private func sizingFindings(_ sizing: PoolSizing) -> [Finding] {
        if sizing.isUseless {
            return [Finding(.error, "probe \(name): \(shortage(sizing))", advice: "lower rate or timeout")]
        }
        guard sizing.available < sizing.needed else { return [] }
        let endurance = sizing.endurance(rate: settings.rate)
        return [
            Finding(
                .warning,
                "probe \(name): \(shortage(sizing)); in a stall longer than \(endurance) arrivals find no connection and "
                    + "count as failed", advice: "lower rate or timeout, or raise max_connections")
        ]
    }

    private func shortage(_ sizing: PoolSizing) -> String {
        "a stall at \(settings.rate) with a timeout of \(settings.timeout) needs \(sizing.needed) connections, and "
            + "there is room for \(sizing.available)"
    }
}
