package import Contracts

/// Everything this module adds to the tool.
package enum RedisKinds {
    package static let registry = Registry(probes: [RolesProbe.self, CommandProbe.self])
}
