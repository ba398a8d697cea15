package import Basics
internal import Glibc

/// Runs programs on this machine, each in its own process group, without a thread for each and without `SIGCHLD`.
package final class LocalCommandRunner: CommandRunner {
    private let loop: EventLoop

    /// Starts the loop on which all children are started, read and reaped.
    package init() throws(SystemError) {
        loop = try EventLoop(name: "squall-commands")
    }

    deinit {
        loop.stop()
    }

    /// Throws ENOENT when the program is not found, and whatever errno posix_spawn(3) gives.
    package func run(_ command: Command, until deadline: Instant) async throws(SystemError) -> CommandResult {
        let program = try locate(command)
        let execution = CommandExecution(command, program: program, on: loop)
        switch command.cancellation {
        case .ignored: return try await execution.run(until: deadline).get()
        case .endsIt: break
        }
        let result = await withTaskCancellationHandler {
            await execution.run(until: deadline)
        } onCancel: {
            loop.schedule(at: Instant(nanoseconds: 0)) { execution.assumeIsolated { $0.interrupt(.cancelled) } }
        }
        return try result.get()
    }

    /// The path to execute: execvp(3)'s search, but in the child's own PATH.
    private func locate(_ command: Command) throws(SystemError) -> String {
        guard let name = command.arguments.first, !name.isEmpty else {
            throw SystemError("posix_spawn", errno: EINVAL, subject: "an empty argument list")
        }
        if name.contains("/") { return name }
        let path = command.environment["PATH"] ?? Command.defaultPath
        for folder in path.split(separator: ":") {
            let candidate = "\(folder)/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        throw SystemError("posix_spawn", errno: ENOENT, subject: "\(name) in PATH \(path)")
    }
}
