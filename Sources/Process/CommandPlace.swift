package import Basics
package import Contracts
internal import Docker
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
            return try await execute(revealed, inContainer: name, until: deadline, in: context)
        }
    }

    /// Whether the container that this names does not exist any more; `notFound` of an exec may also be its program's.
    func isGone(in context: SystemContext) async throws(FaultError) -> Bool {
        guard case .container(let name) = self else { return false }
        let engine = try context.services.require((any ContainerEngine).self)
        do throws(FaultError) {
            _ = try await engine.inspect(name)
            return false
        } catch {
            if error.code == .notFound { return true }
            throw error
        }
    }

    /// The engine runs it: whether it was started is the engine's word, and at the deadline it may run on in there.
    private func execute(
        _ command: Command, inContainer name: String, until deadline: Instant, in context: SystemContext
    ) async throws(FaultError) -> CommandResult {
        let engine = try context.services.require((any ContainerEngine).self)
        let execution = Execution(
            command.arguments, environment: command.environment, workingDirectory: command.directory,
            outputLimit: command.outputLimit)
        let started = context.time.now
        do throws(FaultError) {
            let result = try await engine.execute(execution, in: name, until: deadline)
            return CommandResult(
                ending: .exited(Int32(clamping: result.exitCode)),
                output: CapturedOutput(bytes: result.output.standardOutput, total: result.output.totalOutput),
                errors: CapturedOutput(bytes: result.output.standardError, total: result.output.totalError),
                started: started, ended: context.time.now)
        } catch {
            throw FaultError(error.code, context.secrets.redact(error.message), advice: error.advice)
        }
    }
}
