package import Basics
package import Contracts
package import Experiment

/// Any failure that two commands can cause and undo, on this machine or in a container.
package struct CommandRunFault: Fault {
    /// The undo as it is written in the file: secrets stay `${name}` until the moment it runs.
    package struct Undo: Codable, Sendable, Hashable {
        /// Names this one change, to remember that its undo has succeeded.
        package var id: String
        package var target: String
        package var place: CommandPlace
        /// nil: the file says that nothing can undo it.
        package var undo: [String]?
        package var checkClean: [String]?
        package var environment: [String: String]
        package var directory: String?
        package var timeout: Span
    }

    /// What shows that the inject command did something.
    package enum Evidence: String, Sendable, Hashable, CaseIterable {
        /// `confirm`, when it is given; nothing otherwise.
        case confirm
        /// The file declares that the inject command exits with 0 only when its effect is there.
        case exitCode = "exit-code"
    }

    package static let kind = "command.run"
    package static let requires: Set<Target.Attribute> = [.containerID]
    package static let targeting = Targeting.optional

    private static let inject = Parameter<[String]>.required(
        "inject", .list(.text), "the program that causes the failure, with its arguments; no shell")
    private static let undo = Parameter<[String]?>.optional(
        "undo", .list(.text), "the program that undoes it; must be idempotent and harmless when nothing was injected")
    private static let irreversible = Parameter<Bool>.defaulted(
        "irreversible", .boolean, to: false, written: "false", "true states that nothing can undo it")
    private static let confirm = Parameter<[String]?>.optional(
        "confirm", .list(.text), "exits with 0 when the effect is there, and not before; changes nothing")
    private static let effect = Parameter<Evidence>.defaulted(
        "effect", .choice(.confirm), to: .confirm, written: "confirm",
        "exit-code: the inject command's exit code 0 is evidence enough")
    private static let checkClean = Parameter<[String]?>.optional(
        "check-clean", .list(.text), "exits with 0 when nothing is left of the failure; changes nothing")
    private static let environment = Parameter<[NamedValue<String>]>.defaulted(
        "environment", .map(.text), to: [], written: "PATH only",
        "variables of all four programs; nothing of ours is inherited"
    )
    private static let directory = Parameter<String?>.optional("directory", .text, "the programs' working folder")
    private static let timeout = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(30), written: "30s", "how long each program may run, and the effect may take")
    package static let parameters: [any AnyParameter] = [
        inject, undo, irreversible, confirm, effect, checkClean, environment, directory, timeout,
    ]

    package let inject: [String]
    package let undo: [String]?
    package let confirm: [String]?
    package let evidence: Evidence
    package let checkClean: [String]?
    package let environment: [String: String]
    package let directory: String?
    package let timeout: Span

    package init(from reader: inout ParameterReader) {
        inject = reader.value(Self.inject)
        undo = reader.value(Self.undo)
        confirm = reader.value(Self.confirm)
        evidence = reader.value(Self.effect)
        checkClean = reader.value(Self.checkClean)
        let variables = reader.value(Self.environment).map { ($0.name, $0.value) }
        environment = Dictionary(variables) { first, _ in first }
        directory = reader.value(Self.directory)
        timeout = reader.value(Self.timeout)
        let irreversible = reader.value(Self.irreversible)
        if reader.has("undo") == irreversible {
            reader.diagnostics.error(
                irreversible ? "'undo' contradicts 'irreversible: true'" : "missing 'undo': how is this undone?",
                at: reader.location,
                notes: ["write the command that undoes it, or 'irreversible: true' when nothing can"])
        }
        reader.checkProgram("inject", inject)
        reader.checkProgram("undo", undo)
        reader.checkProgram("confirm", confirm)
        reader.checkProgram("check-clean", checkClean)
    }

    package var persistence: Persistence { undo == nil ? .forGood : .untilHealed }

    package func plan(for target: Target) -> PlannedOperation {
        let place = target.attributes[.containerID] == nil ? "on this machine" : "in \(target.name)"
        return PlannedOperation(
            operation: "run \(quoted(inject)) \(place)",
            undo: undo.map { "run \(quoted($0)) \(place)" } ?? "none: the file says that nothing can undo it",
            privileges: ["whatever these programs need"])
    }

    /// A confirmation that holds before anything was done would confirm nothing afterwards.
    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let place = CommandPlace(target)
        if let confirm {
            let result = try await place.run(command(confirm), until: context.time.now + timeout, in: context)
            if result.exitCode == 0 {
                throw FaultError(
                    .foreignState,
                    "\(quoted(confirm)) succeeds on \(target.name) before anything was injected, so it can show nothing",
                    advice: "undo what is there, or write a 'confirm' that fails while the system is healthy")
            }
        }
        return Undo(
            id: "\(context.run)/\(target.id)/\(context.time.now.nanoseconds)", target: target.name, place: place,
            undo: undo, checkClean: checkClean, environment: environment, directory: directory, timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let deadline = context.time.now + timeout
        var program = command(inject)
        program.environment[MarkedProcesses.variable] = undo.id
        let result = try await undo.place.run(program, until: deadline, in: context)
        guard result.exitCode == 0 else { throw failure(of: inject, result, on: undo.target, in: context) }
        if let confirm { return try await poll(confirm, since: result.started, undo, in: context) }
        switch evidence {
        case .confirm:
            return .unproven(
                "\(quoted(inject)) exited with 0, which shows nothing of the system; give 'confirm', or "
                    + "'effect: exit-code' if that is evidence")
        case .exitCode:
            return .confirmed(
                InstantRange(result.started, result.ended),
                evidence: "exit code 0 of \(quoted(inject)), which the file declares to be evidence")
        }
    }

    /// The effect began after the inject command was started and before the first confirmation that succeeded ended.
    private func poll(
        _ confirm: [String], since: Instant, _ undo: Undo, in context: SystemContext
    ) async throws(FaultError) -> Effect {
        let deadline = context.time.now + timeout
        while true {
            let result = try await undo.place.run(command(confirm), until: deadline, in: context)
            if result.exitCode == 0 {
                return .confirmed(
                    InstantRange(since, result.ended), evidence: "\(quoted(confirm)) exited with 0, and had not before")
            }
            guard result.interruption != .cancelled,
                (try? await context.time.sleep(until: context.time.now + .milliseconds(50))) != nil
            else { throw FaultError(.cancelled, "cancelled while the effect on \(undo.target) was awaited") }
            guard context.time.now < deadline else {
                return .unproven("\(quoted(confirm)) did not succeed within \(timeout): \(result.summary)")
            }
        }
    }

    private func command(_ arguments: [String]) -> Command {
        Command(arguments, environment: environment, directory: directory)
    }
}

/// A command that did not do its work, in words without secrets.
func failure(
    of arguments: [String], _ result: CommandResult, on target: String, in context: SystemContext
) -> FaultError {
    let code: FaultError.Code =
        switch result.interruption {
        case .deadline: .timeout
        case .cancelled: .cancelled
        case nil: .unexpected
        }
    let said = result.errors.lastLine.isEmpty ? result.output.lastLine : result.errors.lastLine
    let detail = said.isEmpty ? "" : ", last output: \(context.secrets.redact(said))"
    return FaultError(code, "\(quoted(arguments)) on \(target): \(result.summary)\(detail)")
}

/// An argument list as a person would type it into a shell.
func quoted(_ arguments: [String]) -> String {
    arguments.map { argument in
        let isPlain =
            !argument.isEmpty && argument.allSatisfy { $0.isLetter || $0.isNumber || "-_./:=,@%+{}$".contains($0) }
        return isPlain ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
    }.joined(separator: " ")
}
