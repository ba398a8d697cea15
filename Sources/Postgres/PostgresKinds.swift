package import Contracts

/// Everything this module adds to the tool.
///
/// The kinds need a `PostgresClient` among the services, and the Patroni faults an `HTTPClient`.
package enum PostgresKinds {
    package static let registry = Registry(
        mutations: [LedgerSchema.self], probes: [LedgerProbe.self, RolesProbe.self])
}
