package import Basics
package import Contracts
package import Experiment

/// Measures how far each replica is behind, in time, with a heartbeat of its own.
package struct ReplicationLagProbe: Probe {
    package static let kind = "redis.replication-lag"
    package static let manual = Manual(
        summary: "Measures in seconds how far each Redis replica is behind its primary.",
        details: """
            A key is set at a constant pace at the primary, which is found as redis.ledger finds it, and each node is asked \
            directly which beat it shows. The lag is the time since the first acknowledged beat that the node does not show \
            yet; 0 when it shows the newest. It is known to one interval (`every`). A node that does not answer, or answers \
            MASTERDOWN, is measured too: its lag is at least the time since the last beat it was known to lack, and marked as \
            a lower bound. A node that is primary has no lag.

            The key, squall:<run>:<probe>:0, is in the journal before it is made and removed at the end.
            """,
        example: """
            lag:
              type: redis.replication-lag
              url: redis://127.0.0.1:6001
              nodes: {redis-2: redis://127.0.0.1:6002, redis-3: redis://127.0.0.1:6003}
            """)
    package static let emits: Set<ObservationKind> = [.measurements]
    package static let changes = [OwnedKeys.plan]
    package static let metrics = ["lag"]

    private static let nodesParameter = Parameter<[NamedValue<RedisURL>]>.required(
        "nodes", .map(.redis), "The nodes to ask, each at its own address.")
    private static let everyParameter = Parameter<Span>.defaulted(
        "every", .span, to: .milliseconds(100), written: "100ms", "The time between two beats, and between two looks.")
    private static let timeoutParameter = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(1), written: "1s", "After this a node has not answered.")
    package static let parameters: [any AnyParameter] =
        PrimaryLocation.parameters + [nodesParameter, everyParameter, timeoutParameter]

    package let name: Label
    let primary: PrimaryLocation
    let nodes: [NamedValue<RedisURL>]
    let every: Span
    let timeout: Span

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        primary = PrimaryLocation(from: &reader)
        nodes = reader.value(Self.nodesParameter)
        every = reader.value(Self.everyParameter)
        timeout = reader.value(Self.timeoutParameter)
        if !primary.cluster.isEmpty {
            reader.diagnostics.error("a cluster has several primaries; give the url of one", at: reader.location)
        }
        if nodes.isEmpty { reader.diagnostics.error("no node is listed", at: reader.location(of: "nodes")) }
        if every <= .zero || timeout <= .zero {
            reader.diagnostics.error("every and timeout must be longer than nothing", at: reader.location)
        }
    }

    package func target(forNode node: Label) -> Target? {
        nodes.first { $0.name == node.text }.map { RedisTarget.target(named: node, at: $0.value) }
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            let client = try context.services.require(RedisClient.self)
            _ = try await PrimaryFinder(primary, client, context.secrets).url(in: context)
            var findings: [Finding] = []
            for node in nodes {
                if let finding = await client.finding(on: node, probe: name, in: context) { findings.append(finding) }
            }
            return findings
        } catch {
            return [Finding(.error, "probe \(name): \(error.explained)", advice: error.advice)]
        }
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        let client = try context.system.services.require(RedisClient.self)
        let keys = RunKeys(run: context.system.run, probe: name.text, count: 1)
        let owned = OwnedKeys(keys: keys, primary: primary, nodes: nodes.map(\.value))
        return ReplicationLagSession(self, owned, try await owned.journal(in: context), client, context)
    }
}
