package import Contracts

/// Every criterion this module knows; a new one is a file and a line here.
package enum CheckerKinds {
    package static let registry = Registry(checkers: [
        RecoveryTime.self, DataLoss.self, SplitBrain.self, Availability.self, Recovery.self, Latency.self,
        ErrorRate.self, Throughput.self, ReplicationLag.self,
    ])
}
