internal import ArgumentParser
internal import Contracts
internal import Experiment

/// `squall list`
struct ListCommand: AsyncParsableCommand {
    /// What can be listed.
    enum Subject: String, ExpressibleByArgument, CaseIterable {
        case all
        case faults
        case probes
        case criteria
        case targets
    }

    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the faults, probes, criteria and target sources this squall knows.",
        discussion: "Example: squall list faults")

    @Argument(help: "faults, probes, criteria, targets or all.")
    var subject = Subject.all
    @OptionGroup var format: FormatOptions

    func run() async throws {
        let kinds = KindEntry.all(standardRegistry()).filter { subject == .all || $0.group == subject.rawValue }
        if format.isJSON {
            try printJSON(kinds)
            return
        }
        let width = kinds.map(\.kind.count).max() ?? 0
        var group = ""
        for entry in kinds {
            if entry.group != group { Output.line((group.isEmpty ? "" : "\n") + entry.group) }
            group = entry.group
            let name = entry.kind + String(repeating: " ", count: width - entry.kind.count)
            Output.line("  \(name)  \(entry.summary)")
        }
        if subject == .all { Output.line("\nnext: squall explain \(kinds.first?.kind ?? "container.kill")") }
    }
}

/// One kind as `list` and `explain` show it.
struct KindEntry: Encodable {
    var group: String
    var kind: String
    var summary: String
    var details: String
    var example: String
    var parameters: [ParameterEntry]

    struct ParameterEntry: Encodable {
        var key: String
        var summary: String
        var expects: String
        var isRequired: Bool
        var fallback: String?

        enum CodingKeys: String, CodingKey {
            case key, summary, expects
            case isRequired = "required"
            case fallback = "default"
        }
    }

    private init(_ group: String, _ kind: String, _ manual: Manual, _ parameters: [any AnyParameter]) {
        self.group = group
        self.kind = kind
        summary = manual.summary
        details = manual.details
        example = manual.example
        self.parameters = parameters.map {
            ParameterEntry(
                key: $0.key, summary: $0.summary, expects: $0.expectation, isRequired: $0.isRequired,
                fallback: $0.fallbackText)
        }
    }

    static func all(_ registry: Registry) -> [KindEntry] {
        let faults = registry.faults.map { KindEntry("faults", $0.kind, $0.manual, $0.parameters) }
        let probes = registry.probes.map { KindEntry("probes", $0.kind, $0.manual, $0.parameters) }
        let criteria = registry.checkers.map { KindEntry("criteria", $0.kind, $0.manual, $0.parameters) }
        let targets = registry.targetSources.map { KindEntry("targets", $0.kind, $0.manual, $0.parameters) }
        return [faults, probes, criteria, targets].flatMap { $0.sorted { $0.kind < $1.kind } }
    }
}
