package import Basics
package import Contracts

/// What this module can do to processes, and the services it does it with.
package enum ProcessKinds {
    package static let registry = Registry(
        faults: [ProcessSignalFault.self, CommandRunFault.self], probes: [CommandCheckProbe.self])

    /// Registers this machine as host, process table and command runner; starts two threads.
    package static func register(in services: inout Services) throws(SystemError) {
        let host = try LocalHost()
        services.register(host, as: (any Host).self)
        services.register(host, as: (any ProcessTable).self)
        services.register(try LocalCommandRunner(), as: (any CommandRunner).self)
    }
}
