package import Contracts

/// What this module can do to processes, and what it can look at.
///
/// Its services, which the command line registers: a `LocalHost` as `Host` and as `ProcessTable`, and a
/// `LocalCommandRunner` as `CommandRunner`. Commands in containers go through the Docker module's `ContainerEngine`.
package enum ProcessKinds {
    package static let registry = Registry(
        faults: [ProcessSignalFault.self, CommandRunFault.self], probes: [CommandCheckProbe.self],
        scanners: [ProcessLeftovers()])
}
