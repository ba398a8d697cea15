package import Basics
package import Contracts
package import Experiment

/// Asks each node directly, again and again, what it takes itself to be.
package struct RolesProbe: Probe {
    package static let kind = "postgres.roles"
    package static let manual = Manual(
        summary: "Asks each PostgreSQL node directly for its role, exact timeline, log position and system identifier.",
        details: """
            Each node has a connection of its own, past every proxy, which is opened again after it broke. At most one \
            question per node is under way; a node that hangs delays no other, and counts as unreachable after `timeout`.

            The timeline of a primary is read from its insert position, so it changes in the instant of the promotion; \
            that of a standby is the one it receives. `position` is the log written (primary) or received (standby). \
            A full answer needs the rights of pg_monitor; without them a standby whose receiver is gone may not know its \
            timeline.

            A change of role or timeline is noted on the timeline of the run. The nodes are targets: \
            `{from: roles, is: primary}` is whoever is primary when the fault is injected. With `patroni`, the URL of the \
            node's Patroni API, Patroni faults can act on them too.
            """,
        example: """
            roles:
              type: postgres.roles
              every: 50ms
              nodes:
                pg-1: {dsn: "host=127.0.0.1 port=5001 user=postgres dbname=app", patroni: "http://127.0.0.1:8001"}
                pg-2: {dsn: "host=127.0.0.1 port=5002 user=postgres dbname=app", patroni: "http://127.0.0.1:8002"}
            """)
    package static let emits: Set<ObservationKind> = [.states]

    private static let nodesParameter = Parameter<[NamedValue<NodeAddress>]>.required(
        "nodes", .map(NodeAddress.type), "Each node's own address, never an endpoint that may lead elsewhere.")
    private static let everyParameter = Parameter<Span>.defaulted(
        "every", .span, to: .milliseconds(100), written: "100ms", "The time from one question to the next.")
    private static let timeoutParameter = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(1), written: "1s", "After this a node that does not answer is unreachable.")
    package static let parameters: [any AnyParameter] = [nodesParameter, everyParameter, timeoutParameter]

    package let name: Label
    package let nodes: [NamedValue<NodeAddress>]
    package let every: Span
    package let timeout: Span

    package init(name: Label, from reader: inout ParameterReader) {
        self.init(
            name: name, nodes: reader.value(Self.nodesParameter), every: reader.value(Self.everyParameter),
            timeout: reader.value(Self.timeoutParameter))
        if nodes.isEmpty { reader.diagnostics.error("no node is listed", at: reader.location(of: "nodes")) }
        if every <= .zero || timeout <= .zero {
            reader.diagnostics.error("every and timeout must be longer than nothing", at: reader.location)
        }
    }

    package init(name: Label, nodes: [NamedValue<NodeAddress>], every: Span, timeout: Span) {
        self.name = name
        self.nodes = nodes
        self.every = every
        self.timeout = timeout
    }

    package func target(forNode node: Label) -> Target? {
        nodes.first { $0.name == node.text }?.value.target(named: node)
    }

    package var watchedNodes: [Label] { nodes.map { Label($0.name) } }

    package func preflight(in context: SystemContext) async -> [Finding] {
        var findings: [Finding] = []
        var identities: [String: String] = [:]
        for node in nodes {
            let deadline = context.time.now + .seconds(5)
            do throws(FaultError) {
                let client = try context.services.require(PostgresClient.self)
                let action = "probe \(name): node \(node.name) does not answer"
                let answer = try await client.session(node.value.dsn, in: context, until: deadline, action) {
                    connection throws(PostgresError) in
                    try await connection.query(RolesSession.greeting, until: deadline)
                }
                if let identity = answer[0, 0] { identities[node.name] = identity }
            } catch {
                findings.append(Finding(.warning, error.explained, advice: error.advice))
            }
        }
        if identities.isEmpty && !nodes.isEmpty {
            findings.append(
                Finding(
                    .error, "probe \(name): none of the \(nodes.count) nodes answers",
                    advice: "psql '\(nodes[0].value.dsn)' -c 'SELECT 1'"))
        }
        if Set(identities.values).count > 1 {
            let list = identities.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            findings.append(Finding(.error, "probe \(name): the nodes belong to different clusters: \(list)"))
        }
        return findings
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        let client = try context.system.services.require(PostgresClient.self)
        return RolesSession(self, client, context.system)
    }
}
