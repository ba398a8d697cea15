package import Contracts

/// What this module can do to networks. Its service is a `LocalNetworkKernel`, which the command line registers.
package enum NetworkKinds {
    package static let registry = Registry(
        faults: [
            NetworkPartitionFault.self, NetworkFlapFault.self, KillConnectionsFault.self, NetworkDNSFault.self,
            NetworkDelayFault.self, NetworkLossFault.self, NetworkDuplicateFault.self, NetworkCorruptFault.self,
            NetworkReorderFault.self, NetworkRateFault.self, NetworkImpairFault.self, NetworkBlackholeFault.self,
        ],
        probes: [TCPConnectProbe.self, ReachProbe.self, RoundTripProbe.self, DNSRecordProbe.self],
        targetSources: [AddressTargetSource.self],
        scanners: [NetworkLeftovers()])
}
