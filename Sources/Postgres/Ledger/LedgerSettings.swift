package import Basics
package import Experiment

/// The parameters of `postgres.ledger`, read.
package struct LedgerSettings: Sendable, Hashable {
    /// Which of the two ways of an application the arrivals take.
    package enum Connections: String, Sendable, Hashable, CaseIterable {
        case kept
        case fresh
        case both

        /// The pools behind it, in the order in which arrivals take turns.
        package var pools: [ConnectionPool.Reuse] {
            switch self {
            case .kept: [.kept]
            case .fresh: [.fresh]
            case .both: [.kept, .fresh]
            }
        }
    }

    package var dsn: DSN
    package var rate: Rate
    package var timeout: Span
    package var connections: Connections
    package var direct: [NamedValue<NodeAddress>]
    package var directRate: Rate
    package var nodes: [NamedValue<NodeAddress>]
    package var payload: ByteCount

    package init(
        dsn: DSN, rate: Rate, timeout: Span, connections: Connections = .both,
        direct: [NamedValue<NodeAddress>] = [], directRate: Rate = Rate(perSecond: 20),
        nodes: [NamedValue<NodeAddress>] = [], payload: ByteCount = ByteCount(bytes: 0)
    ) {
        self.dsn = dsn
        self.rate = rate
        self.timeout = timeout
        self.connections = connections
        self.direct = direct
        self.directRate = directRate
        self.nodes = nodes.isEmpty ? direct : nodes
        self.payload = payload
    }

    package init(from reader: inout ParameterReader) {
        self.init(
            dsn: reader.value(Self.dsnParameter), rate: reader.value(Self.rateParameter),
            timeout: reader.value(Self.timeoutParameter), connections: reader.value(Self.connectionsParameter),
            direct: reader.value(Self.directParameter), directRate: reader.value(Self.directRateParameter),
            nodes: reader.value(Self.nodesParameter), payload: reader.value(Self.payloadParameter))
        if timeout <= .zero {
            reader.diagnostics.error("the timeout must be longer than nothing", at: reader.location(of: "timeout"))
        }
    }

    private static let dsnParameter = Parameter<DSN>.required(
        "dsn", .dsn, "The endpoint that applications write to; several hosts with target_session_attrs are fine.")
    private static let rateParameter = Parameter<Rate>.defaulted(
        "rate", .rate, to: Rate(perSecond: 100), written: "100/s",
        "Arrivals per second, whatever the system does; with both ways each takes half.")
    private static let timeoutParameter = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(2), written: "2s", "How long a write may take from when it was due.")
    private static let connectionsParameter = Parameter<Connections>.defaulted(
        "connections", .choice(.both), to: .both, written: "both",
        "kept: a pool, as applications have; fresh: a new connection for each write; both: in turn.")
    private static let directParameter = Parameter<[NamedValue<NodeAddress>]>.defaulted(
        "direct", .map(NodeAddress.type), to: [], written: "none",
        "Nodes that are also written to directly, past the endpoint: what proves a split brain by acknowledgements.")
    private static let directRateParameter = Parameter<Rate>.defaulted(
        "direct-rate", .rate, to: Rate(perSecond: 20), written: "20/s", "Arrivals per second at each direct node.")
    private static let nodesParameter = Parameter<[NamedValue<NodeAddress>]>.defaulted(
        "nodes", .map(NodeAddress.type), to: [], written: "those of direct",
        "Nodes whose content is read back, and whose names the acknowledgements bear.")
    private static let payloadParameter = Parameter<ByteCount>.defaulted(
        "payload", .byteCount, to: ByteCount(bytes: 0), written: "0B", "Extra bytes in each row.")

    package static let parameters: [any AnyParameter] = [
        dsnParameter, rateParameter, timeoutParameter, connectionsParameter, directParameter, directRateParameter,
        nodesParameter, payloadParameter,
    ]

    /// The rate of one way of the endpoint.
    package var ratePerPool: Rate { Rate(perSecond: rate.perSecond / Double(connections.pools.count)) }

    /// Connections that a complete stall of one timeout holds at the endpoint.
    package var neededAtEndpoint: Int {
        PoolSizing.needed(rate: ratePerPool, timeout: timeout) * connections.pools.count
    }
}
