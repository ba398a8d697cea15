package import Basics
package import Contracts
package import Docker

/// Runs programs in containers through the engine's exec.
///
/// The engine has no way to end what it started: at its deadline a command is left to itself, and the error says so.
package struct EngineCommands: ContainerCommands {
    private let engine: any ContainerEngine
    private let time: any TimeSource

    package init(_ engine: any ContainerEngine, time: any TimeSource) {
        self.engine = engine
        self.time = time
    }

    package func run(
        _ command: Command, inContainer container: String, until deadline: Instant
    ) async throws(FaultError) -> CommandResult {
        let execution = Execution(
            command.arguments, environment: command.environment, workingDirectory: command.directory,
            outputLimit: command.outputLimit)
        let started = time.now
        let result = try await engine.execute(execution, in: container, until: deadline)
        try refuseMissingProgram(result, command, container)
        return CommandResult(
            ending: ending(result.exitCode),
            output: CapturedOutput(bytes: result.output.standardOutput, total: result.output.totalOutput),
            errors: CapturedOutput(bytes: result.output.standardError, total: result.output.totalError),
            started: started, ended: time.now)
    }

    /// The engine reports the death by signal n as exit code 128 + n, as a shell does.
    private func ending(_ exitCode: Int) -> CommandResult.Ending {
        if exitCode > 128, let signal = Signal(number: Int32(clamping: exitCode - 128)) { return .killed(signal) }
        return .exited(Int32(clamping: exitCode))
    }

    /// 126 and 127 are the runtime's own codes for a program that cannot be run or is not there (runc, as a shell).
    private func refuseMissingProgram(
        _ result: ExecutionResult, _ command: Command, _ container: String
    ) throws(FaultError) {
        guard result.exitCode == 126 || result.exitCode == 127 else { return }
        let program = command.arguments.first ?? ""
        let said = CapturedOutput(bytes: result.output.standardOutput).lastLine
        throw FaultError(
            .notFound, "'\(program)' could not be run in container \(container): \(said)",
            advice: "docker exec \(container) \(program)")
    }
}
