internal import ArgumentParser
internal import Basics
internal import Contracts
internal import Controller
internal import Experiment
internal import Glibc
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
        let journals = DirtyJournals(in: runs.folder)
        if let id, DirtyJournals.runs(in: runs.folder).contains(id) == false {
            throw failure(2, "there is no run '\(id)' in \(runs.folder)", next: "squall history")
        }
        var isClean = true
        var healed: [HealedChange] = []
        for contents in journals.dirty where id == nil || contents.header.run == id {
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

/// One change that `heal` dealt with.
struct HealedChange: Encodable {
    var run: String
    var kind: String
    var target: String
    var isHealed: Bool
    var reason: String
    var runbook: String?
    var commands: [String]
}

/// Heals one dead run's journal and writes what was done into its history.
struct JournalHeal {
    let systems: Systems
    let contents: JournalContents

    func run() async throws -> [HealedChange] {
        let loop = try EventLoop(name: "squall-heal")
        defer { loop.stop() }
        let journal = try await JournalWriter(continuing: contents.path, loop: loop)
        let folder = contents.path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
            separator: "/")
        let events = EventAppender(path: "\(folder)/events.ndjson")
        let secrets = contents.header.secrets.map { NamedValue(name: $0.key, value: $0.value) }
        let context = systems.context(run: contents.header.run, secrets: secrets) { events.append($0) }
        let healer = Healer(registry: systems.registry, context: context)
        let results = try await healer.heal(contents.open) { record throws(JournalError) in
            try await journal.append(record)
        }
        let leftovers = results.compactMap(\.leftover)
        events.append(.cleanUp(leftovers: leftovers, at: systems.time.now))
        if results.allSatisfy(\.isHealed) { try await journal.append(.closed(at: systems.time.now)) }
        return results.map { result in
            HealedChange(
                run: contents.header.run, kind: result.intent.kind, target: result.intent.target,
                isHealed: result.isHealed,
                reason: result.failure.map { "\($0)" } ?? result.leftover?.description ?? "",
                runbook: contents.header.runbook, commands: result.commands)
        }
    }
}

/// Appends events to the history of a run that is over.
private final class EventAppender: Sendable {
    private let path: String

    init(path: String) {
        self.path = path
    }

    func append(_ event: HistoryEvent) {
        var line: [UInt8] = []
        var encoder = EventLineEncoder()
        encoder.append(event, to: &line)
        do throws(SystemError) {
            let file = try Descriptor(opening: path, flags: O_WRONLY | O_APPEND | O_CREAT, mode: 0o644)
            try file.writeAll(line, subject: path)
        } catch {
            Output.error("warning: the heal is not in the run's history: \(error)")
        }
    }
}
