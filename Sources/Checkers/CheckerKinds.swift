package import Contracts

/// Every criterion this module knows.
package enum CheckerKinds {
    package static let registry = Registry(checkers: [RecoveryTime.self, DataLoss.self, SplitBrain.self])
}
