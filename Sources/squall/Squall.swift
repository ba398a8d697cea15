internal import ArgumentParser
internal import Glibc

/// The program's entry: nothing but a hand-over, because `main` is isolated to the main actor and C callbacks formed
/// in main-actor code trap.
@main
enum Main {
    static func main() async {
        // A closed pipe is an error of the write, not the death of a controller with live faults.
        signal(SIGPIPE, SIG_IGN)
        await Squall.main()
    }
}

/// `squall`: the list of commands.
struct Squall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "squall",
        abstract: "Injects faults into running systems and measures what their users would have lost.",
        discussion: """
            Exit codes: 0 pass, 1 fail, 2 invalid file or usage (nothing touched), 3 inconclusive, 4 stopped by a stop
            condition or a person, 5 the tool or its environment failed, 6 clean-up not confirmed (wins over all
            others), 130/143 after a signal, healed.

            Example: squall run experiments/disaster-recovery/postgres-primary-loss.yaml
            """,
        version: toolVersion,
        subcommands: [
            RunCommand.self, ValidateCommand.self, PlanCommand.self, InjectCommand.self, HealCommand.self,
            LeftoversCommand.self, DoctorCommand.self, ListCommand.self, ExplainCommand.self, SchemaCommand.self,
            ReportCommand.self, HistoryCommand.self, InitCommand.self, LabCommand.self,
        ])
}

/// The version in reports and journals.
let toolVersion = "0.1.0"
