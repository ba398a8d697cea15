package import Contracts

/// Everything this module adds to the tool.
package enum RedisKinds {
    package static let registry = Registry(
        faults: [
            SentinelFailoverFault.self, ClusterFailoverFault.self, ReplicaOfFault.self, ClientPauseFault.self,
            DebugSleepFault.self, ConfigFault.self, MinReplicasFault.self, KillClientsFault.self, RevokeFault.self,
            EvictionPressureFault.self,
        ],
        mutations: [ProbeKeys.self],
        probes: [
            LedgerProbe.self, RolesProbe.self, SentinelsProbe.self, ClusterProbe.self, ReplicationLagProbe.self,
            CommandProbe.self,
        ],
        scanners: [RedisLeftovers()])
}
