package import Basics
package import Contracts
package import Experiment

/// Where one node of a cluster answers for itself, never through an endpoint that may lead elsewhere.
package struct NodeAddress: Sendable, Hashable, Codable {
    package var dsn: DSN
    /// Base URL of the node's Patroni API, `http://127.0.0.1:8001`; nil without Patroni.
    package var patroniURL: String?

    package init(dsn: DSN, patroniURL: String? = nil) {
        self.dsn = dsn
        self.patroniURL = patroniURL
    }

    private static let dsnParameter = Parameter<DSN>.required("dsn", .dsn, "The node's own connection string.")
    private static let patroniParameter = Parameter<String?>.optional(
        "patroni", .text, "Base URL of the node's Patroni API, for example http://10.0.0.1:8008.")

    /// A connection string, or a mapping of `dsn` and `patroni`.
    package static let type = ValueType<NodeAddress>.shorthand(
        ValueType<DSN>.dsn.map { NodeAddress(dsn: $0) },
        or: .record([dsnParameter, patroniParameter], placeholder: NodeAddress(dsn: DSN(""))) { reader in
            NodeAddress(dsn: reader.value(dsnParameter), patroniURL: reader.value(patroniParameter))
        })

    /// The node as a target of faults.
    package func target(named node: Label) -> Target {
        var attributes: [Target.Attribute: String] = [.node: node.text, .postgresDSN: dsn.text]
        attributes[.patroniURL] = patroniURL
        return Target(id: "postgres:\(node)", name: node.text, attributes: attributes)
    }
}
