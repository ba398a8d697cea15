package import Basics
package import Contracts

/// What this module can do to containers, and the services it does it with.
package enum DockerKinds {
    package static let registry = Registry(
        faults: [
            ContainerKillFault.self, ContainerStopFault.self, ContainerPauseFault.self, ContainerRestartFault.self,
            ContainerRemoveFault.self,
        ], probes: [DockerStateProbe.self], targetSources: [DockerTargetSource.self],
        enrichers: [ContainerEnricher()], scanners: [ContainerLeftovers()])

    /// Registers the engine that the docker command would talk to, and this machine's control groups.
    ///
    /// Reads configuration and starts one thread; connects to nothing. Throws when the configuration names an endpoint
    /// that cannot be used (ssh, an unknown context): show it, and leave docker targets to fail by name.
    package static func register(
        in services: inout Services, environment: [String: String], time: any TimeSource = SystemTimeSource()
    ) throws(FaultError) {
        let endpoint = try DockerEndpoint.resolve(environment: environment)
        services.register(try DockerClient(endpoint, time: time), as: (any ContainerEngine).self)
        services.register(LocalControlGroups(), as: (any ControlGroups).self)
    }
}
