internal import ArgumentParser
internal import Basics
internal import Experiment

/// How data is printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

/// `--format`
struct FormatOptions: ParsableArguments {
    @Option(help: "text for people, json for programs.")
    var format = OutputFormat.text

    var isJSON: Bool { format == .json }
}

/// What every command that reads an experiment file takes.
struct FileOptions: ParsableArguments {
    @Option(name: .customLong("var"), help: "Sets a configuration variable: name=value. May be repeated.")
    var variables: [String] = []

    /// The overrides; throws on a value without `=`.
    func overrides() throws -> [NamedValue<String>] {
        try variables.map { text in
            guard let split = text.firstIndex(of: "="), split != text.startIndex else {
                throw ValidationError("--var '\(text)' must be name=value")
            }
            return NamedValue(name: String(text[..<split]), value: String(text[text.index(after: split)...]))
        }
    }
}

/// Where runs are kept.
struct RunsOptions: ParsableArguments {
    @Option(name: .customLong("runs"), help: "The folder of the runs.")
    var folder = "runs"
}

/// The guard against the one mistake nobody makes twice.
struct SafetyOptions: ParsableArguments {
    @Flag(help: "Allows a run although TEST_ENVIRONMENT=production.")
    var allowProduction = false

    /// Throws when the environment says production and nobody has said that this is meant.
    func check() throws {
        guard environment("TEST_ENVIRONMENT")?.lowercased() == "production", !allowProduction else { return }
        Output.error(
            """
            error: TEST_ENVIRONMENT=production: faults are not injected into production by default
            next: unset TEST_ENVIRONMENT, or repeat the command with --allow-production if this is what you mean
            """)
        throw ExitCode(2)
    }
}
