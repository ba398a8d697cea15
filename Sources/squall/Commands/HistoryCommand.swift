internal import ArgumentParser
internal import Basics
internal import Experiment
internal import Glibc

/// `squall history`
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Lists the runs of a folder with their verdicts, newest first.",
        discussion: "Example: squall history --limit 5")

    @Option(help: "At most this many.")
    var limit = 20
    @OptionGroup var runs: RunsOptions
    @OptionGroup var format: FormatOptions

    /// One run as the list shows it.
    struct Entry: Encodable {
        var run: String
        var title: String
        var verdict: String
        var reason: String
    }

    func run() async throws {
        let ids = DirtyJournals.runs(in: runs.folder).reversed().prefix(limit)
        let entries = ids.map { entry($0) }
        if format.isJSON {
            try printJSON(entries)
            return
        }
        if entries.isEmpty { Output.line("no runs in \(runs.folder)\nnext: squall run EXPERIMENT") }
        for entry in entries {
            let verdict = entry.verdict + String(repeating: " ", count: max(0, 12 - entry.verdict.count))
            Output.line("\(verdict)  \(entry.run)\n              \(entry.reason)")
        }
    }

    private func entry(_ id: String) -> Entry {
        let path = "\(runs.folder)/\(id)/verdict.json"
        do {
            let file = try Descriptor(opening: path, flags: O_RDONLY)
            let json = try JSONValue(parsing: String(decoding: try file.readToEnd(subject: path), as: UTF8.self))
            return Entry(
                run: id, title: json["title"]?.string ?? "", verdict: json["verdict"]?.string ?? "unknown",
                reason: json["reason"]?.string ?? "")
        } catch {
            return Entry(run: id, title: "", verdict: "no verdict", reason: "\(error); next: squall report \(id)")
        }
    }
}
