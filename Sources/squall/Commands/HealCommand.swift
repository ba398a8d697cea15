internal import ArgumentParser
internal import Basics
internal import Contracts
internal import Journal

/// `squall heal`
struct HealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heal",
        abstract: "Heals what dead runs have left behind, from their journals alone, and verifies it.",
        discussion: """
            Works on the journals of the runs folder and on every open journal that this machine has registered, \
            whatever folder it is in. A run that is in progress is not touched. Goes on after a failure; exit code 6 when \
            anything is left, with the runbook and the commands a person would type.

            A journal that is damaged, was edited, or was written by a newer squall or on another machine is refused, \
            with what it still says. --accept-host heals a journal of another machine on purpose: CI jobs in containers \
            share an engine and have names of their own.

            Example: squall heal --all
            Example: squall heal --run 20261122-135553-postgres-primary-loss-4f2a
            Example: squall heal --journal /mnt/artifacts/journal --accept-host runner-17
            """)

    @Option(name: .customLong("run"), help: "The run to heal.")
    var id: String?
    @Flag(help: "Every dead run of the folder and of this machine.")
    var all = false
    @Option(help: "A journal by its path.")
    var journal: String?
    @Option(help: "Heal a journal that was written on the machine of this name.")
    var acceptHost: String?
    @Flag(help: "With --run: give up on what cannot be healed, and stop refusing new runs because of it.")
    var abandon = false
    @OptionGroup var runs: RunsOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        let ways = [id != nil, all, journal != nil].filter { $0 }.count
        if ways != 1 { throw ValidationError("give one of --run ID, --all and --journal PATH") }
        if abandon, id == nil { throw ValidationError("--abandon needs --run ID: one run, on purpose") }
    }

    func run() async throws {
        try await perform()
    }

    @concurrent private func perform() async throws {
        let systems = try makeSystems()
        var journals: DirtyJournals
        if let journal {
            journals = await DirtyJournals(only: journal, host: systems.host)
        } else {
            journals = await DirtyJournals(in: runs.folder, host: systems.host)
        }
        if let id {
            journals.keep(run: id)
            if journals.isEmpty, !DirtyJournals.runs(in: runs.folder).contains(id) {
                throw failure(2, "there is no run '\(id)' in \(runs.folder)", next: "squall history")
            }
        }
        var healing = JournalHealing(systems: systems, acceptedHost: acceptHost)
        await healing.heal(journals)
        if abandon, let id { try healing.abandon(journals, run: id) }
        if format.isJSON { try printJSON(healing.report) } else { healing.report.show() }
        if let code = healing.report.exitCode(isOneRun: !all) { throw ExitCode(code) }
    }
}
