internal import ArgumentParser
internal import Glibc

/// The program's entry: nothing but a hand-over, because `main` is isolated to the main actor and C callbacks formed
/// in main-actor code trap.
@main
enum Main {
    static func main() async {
        // A closed pipe is an error of the write, not the death of a controller with live faults.
        signal(SIGPIPE, SIG_IGN)
        raiseDescriptorLimit()
        exit(await runCommand())
    }
}

/// A ledger may hold hundreds of connections in an outage; at the soft limit they would look refused by the system.
private func raiseDescriptorLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = min(limit.rlim_max, 65_536)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

/// Runs the command of the command line and gives the process's exit code.
///
/// The library would exit with 64 for wrong usage; ours is 2, as for every other invalid input.
private func runCommand() async -> Int32 {
    do {
        var command = try Squall.parseAsRoot()
        if var asynchronous = command as? any AsyncParsableCommand {
            try await asynchronous.run()
        } else {
            try command.run()
        }
        return 0
    } catch {
        let message = Squall.fullMessage(for: error)
        switch Squall.exitCode(for: error) {
        case .success:
            if !message.isEmpty { Output.line(message) }
            return 0
        case .validationFailure:
            Output.error(message)
            return 2
        case let code:
            if !message.isEmpty { Output.error(message) }
            return code.rawValue
        }
    }
}

/// `squall`: the list of commands.
struct Squall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "squall",
        abstract: "Injects faults into running systems and measures what their users would have lost.",
        discussion: """
            Exit codes: 0 pass, 1 fail, 2 invalid file or usage (nothing touched), 3 inconclusive, 4 stopped by a stop \
            condition or a person, 5 the tool or its environment failed, 6 clean-up not confirmed (wins over all \
            others), 130/143 after a signal, healed.

            Example: squall run experiments/disaster-recovery/postgres-primary-loss.yaml
            """,
        version: toolVersion,
        subcommands: [
            RunCommand.self, ValidateCommand.self, PlanCommand.self, InjectCommand.self, HealCommand.self,
            LeftoversCommand.self, DoctorCommand.self, ListCommand.self, ExplainCommand.self, SchemaCommand.self,
            ReportCommand.self, HistoryCommand.self, InitCommand.self, LabCommand.self, ImportCommand.self,
            ExportCommand.self, IAMPolicyCommand.self, MedicCommand.self,
        ])
}

/// The version in reports and journals.
let toolVersion = "0.1.0"
