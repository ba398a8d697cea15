package import Basics
package import Experiment

/// The parameters of `redis.ledger`, read.
package struct LedgerSettings: Sendable, Hashable {
    /// How many replicas must confirm each write, and how long they are waited for.
    package struct Confirmation: Sendable, Hashable {
        package var replicas: Int
        package var patience: Span
    }

    package var primary: PrimaryLocation
    package var rate: Rate
    package var timeout: Span
    package var confirmation: Confirmation
    /// nil: nobody stays with the address that was the primary's when the run began.
    package var pinnedRate: Rate?
    package var direct: [NamedValue<RedisURL>]
    package var directRate: Rate
    package var nodes: [NamedValue<RedisURL>]
    package var payload: ByteCount

    package init(
        primary: PrimaryLocation, rate: Rate = Rate(perSecond: 100), timeout: Span = .seconds(2),
        confirmation: Confirmation = Confirmation(replicas: 0, patience: .milliseconds(100)), pinnedRate: Rate? = nil,
        direct: [NamedValue<RedisURL>] = [], directRate: Rate = Rate(perSecond: 20),
        nodes: [NamedValue<RedisURL>] = [], payload: ByteCount = ByteCount(bytes: 0)
    ) {
        self.primary = primary
        self.rate = rate
        self.timeout = timeout
        self.confirmation = confirmation
        self.pinnedRate = pinnedRate
        self.direct = direct
        self.directRate = directRate
        self.nodes = nodes.isEmpty ? direct : nodes
        self.payload = payload
    }

    package init(from reader: inout ParameterReader) {
        self.init(
            primary: PrimaryLocation(from: &reader), rate: reader.value(Self.rateParameter),
            timeout: reader.value(Self.timeoutParameter),
            confirmation: Confirmation(
                replicas: reader.value(Self.waitParameter), patience: reader.value(Self.waitTimeoutParameter)),
            pinnedRate: reader.value(Self.pinnedRateParameter), direct: reader.value(Self.directParameter),
            directRate: reader.value(Self.directRateParameter), nodes: reader.value(Self.nodesParameter),
            payload: reader.value(Self.payloadParameter))
        if timeout <= .zero {
            reader.diagnostics.error("the timeout must be longer than nothing", at: reader.location(of: "timeout"))
        }
        if pinnedRate != nil, !primary.cluster.isEmpty {
            reader.diagnostics.error(
                "a cluster has several primaries: a client cannot stay with the one",
                at: reader.location(of: Self.pinnedRateParameter.key))
        }
        if confirmation.replicas > 0, confirmation.patience >= timeout {
            reader.diagnostics.error(
                "wait-timeout must be shorter than timeout, or a write could never be found unconfirmed",
                at: reader.location(of: Self.waitTimeoutParameter.key))
        }
    }

    private static let rateParameter = Parameter<Rate>.defaulted(
        "rate", .rate, to: Rate(perSecond: 100), written: "100/s", "Arrivals per second, whatever the system does.")
    private static let timeoutParameter = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(2), written: "2s", "How long a write may take from when it was due.")
    private static let waitParameter = Parameter<Int>.defaulted(
        "wait", .integer(0...100), to: 0, written: "0",
        "So many replicas must confirm each write (WAIT); one that fewer confirm is unknown.")
    private static let waitTimeoutParameter = Parameter<Span>.defaulted(
        "wait-timeout", .span, to: .milliseconds(100), written: "100ms", "How long replicas are waited for.")
    private static let pinnedRateParameter = Parameter<Rate?>.optional(
        "pinned-rate", .rate,
        "Arrivals per second of a client that stays with the address that was the primary's when the run began.")
    private static let directParameter = Parameter<[NamedValue<RedisURL>]>.defaulted(
        "direct", .map(.redis), to: [], written: "none",
        "Nodes that are also written to directly: what proves a split brain by acknowledgements.")
    private static let directRateParameter = Parameter<Rate>.defaulted(
        "direct-rate", .rate, to: Rate(perSecond: 20), written: "20/s", "Arrivals per second at each direct node.")
    private static let nodesParameter = Parameter<[NamedValue<RedisURL>]>.defaulted(
        "nodes", .map(.redis), to: [], written: "those of direct",
        "Nodes whose content is read back, and whose names the acknowledgements bear.")
    private static let payloadParameter = Parameter<ByteCount>.defaulted(
        "payload", .byteCount, to: ByteCount(bytes: 0), written: "0B", "Extra bytes in each write.")

    package static let parameters: [any AnyParameter] =
        PrimaryLocation.parameters + [
            rateParameter, timeoutParameter, waitParameter, waitTimeoutParameter, pinnedRateParameter, directParameter,
            directRateParameter, nodesParameter, payloadParameter,
        ]
}
