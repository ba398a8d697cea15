internal import Basics
internal import Contracts
internal import Experiment

/// The parameters that the two changes of leader share.
struct PatroniSettings: Sendable, Hashable {
    var candidate: String?
    var nodes: [NamedValue<NodeAddress>]
    var switchBack: Bool
    var timeout: Span

    private static let candidateParameter = Parameter<String?>.optional(
        "candidate", .text, "The member that shall lead; without it Patroni (switchover) or the smallest lag decides.")
    private static let nodesParameter = Parameter<[NamedValue<NodeAddress>]>.required(
        "nodes", .map(NodeAddress.type),
        "Every member by its Patroni name, at its own address: the new leader's own word is the proof.")
    private static let switchBackParameter = Parameter<Bool>.defaulted(
        "switch-back", .boolean, to: false, written: "false", "Whether healing makes the old leader lead again.")
    private static let timeoutParameter = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(60), written: "60s", "How long the change may take.")
    static let parameters: [any AnyParameter] = [
        candidateParameter, nodesParameter, switchBackParameter, timeoutParameter,
    ]

    init(candidate: String?, nodes: [NamedValue<NodeAddress>], switchBack: Bool, timeout: Span) {
        self.candidate = candidate
        self.nodes = nodes
        self.switchBack = switchBack
        self.timeout = timeout
    }

    init(from reader: inout ParameterReader) {
        self.init(
            candidate: reader.value(Self.candidateParameter), nodes: reader.value(Self.nodesParameter),
            switchBack: reader.value(Self.switchBackParameter), timeout: reader.value(Self.timeoutParameter))
        if nodes.isEmpty { reader.diagnostics.error("no node is listed", at: reader.location(of: "nodes")) }
        if let candidate, !nodes.contains(where: { $0.name == candidate }) {
            reader.diagnostics.error(
                "the candidate '\(candidate)' is none of the nodes", at: reader.location(of: "candidate"))
        }
    }

    /// The target's own API first, then those of the other nodes.
    func members(_ target: Target) throws(FaultError) -> [String] {
        guard let own = target.attributes[.patroniURL] else {
            throw FaultError(
                .notApplicable, "target \(target.name) has no Patroni API",
                advice:
                    "give the node of the postgres.roles probe a patroni URL: {dsn: \"…\", patroni: \"http://…:8008\"}")
        }
        return [own] + nodes.compactMap(\.value.patroniURL).filter { $0 != own }
    }

    var addresses: [String: DSN] { Dictionary(nodes.map { ($0.name, $0.value.dsn) }) { first, _ in first } }

    var undoText: String {
        switchBack
            ? "a switchover back to the old leader"
            : "none: the new leader keeps leading (switch-back: true would change back)"
    }
}
