internal import ArgumentParser
internal import Basics
internal import Journal

/// `squall heal`
struct HealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heal",
        abstract: "Heals what dead runs have left behind, from their journals alone, and verifies it.",
        discussion: """
            Example: squall heal --all
            Example: squall heal --run 20261122-135553-postgres-primary-loss-4f2a
            """)

    @Option(name: .customLong("run"), help: "The run to heal.")
    var id: String?
    @Flag(help: "Every dead run of the folder.")
    var all = false
    @OptionGroup var runs: RunsOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        if (id == nil) == !all { throw ValidationError("give either --run ID or --all") }
    }

    func run() async throws {
        try await perform()
    }

    @concurrent private func perform() async throws {
        let systems = try makeSystems()
        let journals = await DirtyJournals(in: runs.folder, host: systems.host)
        if let id, DirtyJournals.runs(in: runs.folder).contains(id) == false {
            throw failure(2, "there is no run '\(id)' in \(runs.folder)", next: "squall history")
        }
        var isClean = true
        var healed: [HealedChange] = []
        for contents in journals.dirty + journals.unconcluded where id == nil || contents.header.run == id {
            let results = try await JournalHeal(systems: systems, contents: contents).run()
            healed += results
            isClean = isClean && results.allSatisfy(\.isHealed)
        }
        for (path, error) in journals.unreadable where id.map({ path.contains("/\($0)/") }) ?? true {
            isClean = false
            Output.error("error: \(path): \(error)")
            for record in error.records { Output.error("  still readable: \(record)") }
        }
        if format.isJSON { try printJSON(healed) } else { show(healed) }
        if !isClean { throw ExitCode(6) }
    }

    private func show(_ healed: [HealedChange]) {
        if healed.isEmpty { Output.line("nothing to heal") }
        for change in healed {
            Output.line(
                "\(change.isHealed ? "healed" : "NOT HEALED")  \(change.kind)  \(change.target)  (\(change.run))")
            if !change.isHealed {
                Output.line("  why: \(change.reason)")
                if let runbook = change.runbook { Output.line("  runbook: \(runbook)") }
                for command in change.commands { Output.line("  by hand: \(command)") }
            }
        }
    }
}
