package import Basics
package import Contracts
internal import Glibc

/// Where a command runs.
package enum CommandPlace: Sendable, Hashable, Codable {
    case host
    /// In a container, by its id or its name.
    case container(String)

    package init(_ target: Target) {
        self = target.attributes[.containerID].map(CommandPlace.container) ?? .host
    }

    /// `this machine`, `container web-1`
    package var description: String {
        switch self {
        case .host: "this machine"
        case .container(let name): "container \(name.count == 64 ? String(name.prefix(12)) : name)"
        }
    }

    /// Runs a command here; any ending is an answer, only a command that could not be started throws.
    ///
    /// `${secret}` in its arguments and its environment is revealed now and not before.
    package func run(
        _ command: Command, until deadline: Instant, in context: SystemContext
    ) async throws(FaultError) -> CommandResult {
        var revealed = command
        revealed.arguments = []
        for argument in command.arguments { revealed.arguments.append(try context.secrets.reveal(argument)) }
        for (name, value) in command.environment { revealed.environment[name] = try context.secrets.reveal(value) }
        switch self {
        case .host:
            let runner = try context.services.require((any CommandRunner).self)
            do throws(SystemError) {
                return try await runner.run(revealed, until: deadline)
            } catch {
                let safe = SystemError(error.call, errno: error.errno, subject: context.secrets.redact(error.subject))
                throw FaultError("run '\(command.arguments.first ?? "")'", on: description, safe)
            }
        case .container(let name):
            let containers = try context.services.require((any ContainerCommands).self)
            return try await containers.run(revealed, inContainer: name, until: deadline)
        }
    }
}

/// Runs programs in containers; a service, so that this module's faults need not know which engine there is.
package protocol ContainerCommands: Sendable {
    /// As `CommandRunner.run`. Throws `notFound` when there is no such running container, or no such program in it.
    func run(
        _ command: Command, inContainer container: String, until deadline: Instant
    ) async throws(FaultError) -> CommandResult
}
