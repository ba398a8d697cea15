internal import ArgumentParser
internal import Experiment

/// `squall explain`
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explains one kind: what it does, how it is undone, its parameters, an example.",
        discussion: "Example: squall explain container.kill")

    @Argument(help: "A kind that squall list shows.")
    var kind: String
    @OptionGroup var format: FormatOptions

    func run() async throws {
        let entries = KindEntry.all(standardRegistry())
        let matching = entries.filter { $0.kind == kind }
        guard !matching.isEmpty else {
            let hint = suggestion(for: kind, among: entries.map(\.kind)).map { "squall explain \($0)" } ?? "squall list"
            throw failure(2, "no kind '\(kind)' is known", next: hint)
        }
        if format.isJSON {
            try printJSON(matching)
            return
        }
        for entry in matching { show(entry) }
    }

    private func show(_ entry: KindEntry) {
        Output.line("\(entry.kind) (\(entry.group))\n\n\(entry.summary)\n\n\(entry.details)\n")
        if !entry.parameters.isEmpty { Output.line("Parameters") }
        for parameter in entry.parameters {
            let necessity = parameter.isRequired ? "required" : parameter.fallback.map { "default \($0)" } ?? "optional"
            Output.line("  \(parameter.key) (\(necessity)): \(parameter.summary)\n      \(parameter.expects)")
        }
        Output.line("\nExample\n\(entry.example)")
    }
}
