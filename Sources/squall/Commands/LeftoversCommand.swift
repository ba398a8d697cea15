internal import ArgumentParser
internal import Basics
internal import Contracts
internal import Controller
internal import Experiment
internal import Journal

/// `squall leftovers`
struct LeftoversCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leftovers",
        abstract: "Reads the real systems behind every journal and lists what is left of ours. Changes nothing.",
        discussion: "Exit code 0 only when there is nothing.\n\nExample: squall leftovers")

    @OptionGroup var runs: RunsOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        try await perform()
    }

    @concurrent private func perform() async throws {
        let systems = try makeSystems()
        let journals = await DirtyJournals(in: runs.folder, host: systems.host)
        var found: [Leftover] = []
        for contents in journals.dirty {
            let secrets = contents.header.secrets.map { NamedValue(name: $0.key, value: $0.value) }
            let context = systems.context(run: contents.header.run, secrets: secrets) { _ in }
            found += await Healer(registry: systems.registry, context: context).leftovers(contents.open)
        }
        for (path, error) in journals.unreadable {
            found.append(Leftover(kind: "journal", target: path, description: "\(error)"))
        }
        if format.isJSON { try printJSON(found) } else { show(found, live: journals.live) }
        if !found.isEmpty { throw ExitCode(6) }
    }

    private func show(_ found: [Leftover], live: [String]) {
        for path in live { Output.line("in progress: \(path) (its faults are not leftovers)") }
        if found.isEmpty { Output.line("no leftovers") }
        for leftover in found {
            Output.line("\(leftover.kind)  \(leftover.target)  \(leftover.description)")
            for command in leftover.commands { Output.line("  by hand: \(command)") }
        }
        if !found.isEmpty { Output.line("next: squall heal --all --runs \(runs.folder)") }
    }
}
