package import Basics
package import Contracts

/// Everything this module adds to the tool.
package enum PostgresKinds {
    package static let registry = Registry(
        faults: [
            PromoteFault.self, TerminateBackendsFault.self, PauseReplayFault.self, CutReplicationFault.self,
            PatroniSwitchoverFault.self, PatroniFailoverFault.self, PatroniPauseFault.self,
        ],
        mutations: [LedgerSchema.self, LagSchema.self],
        probes: [LedgerProbe.self, RolesProbe.self, ReplicationLagProbe.self, QueryProbe.self],
        scanners: [PostgresLeftovers(), PatroniLeftovers()])

    /// Registers the client that every kind here asks for; the Patroni faults also need an `HTTPClient`.
    package static func register(in services: inout Services) throws(SystemError) {
        services.register(try PostgresClient())
    }
}
