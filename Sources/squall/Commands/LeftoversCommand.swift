internal import ArgumentParser
internal import Contracts

/// `squall leftovers`
struct LeftoversCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leftovers",
        abstract: "Lists what is left of ours in the real systems, whichever run left it. Changes nothing.",
        discussion: """
            Reads the state behind every open journal of the runs folder and of this machine, and then asks the systems \
            themselves for our marks: the engine for twins of removed containers, this machine for processes of inject \
            commands, and every database and Patroni cluster that a journal (open or closed) or the given experiment names \
            for our schemas and settings.

            Exit code 0 only when there is nothing. A system that does not answer is listed as unknown; that makes the exit \
            code 6 when an open journal tells of a change there, and is a warning otherwise. What belongs to a run in \
            progress is no leftover.

            Example: squall leftovers
            Example: squall leftovers --experiment experiments/disaster-recovery/postgres-primary-loss.yaml
            """)

    @Option(help: "An experiment file whose systems are asked too.")
    var experiment: String?
    @OptionGroup var file: FileOptions
    @OptionGroup var runs: RunsOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        try await perform()
    }

    @concurrent private func perform() async throws {
        let systems = try makeSystems()
        var known = KnownSystems(runsFolder: runs.folder, systems: systems)
        if let experiment { known.add(try file.load(experiment, registry: systems.registry), systems: systems) }
        let journals = await DirtyJournals(in: runs.folder, host: systems.host)
        let report = await LeftoverReport(journals, known, systems: systems)
        if format.isJSON { try printJSON(report) } else { report.show(runsFolder: runs.folder) }
        if !report.leftovers.isEmpty { throw ExitCode(6) }
    }
}
