internal import AWS
internal import ArgumentParser
internal import Basics
internal import Experiment

/// `squall export`
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Prints an experiment in another tool's form.",
        subcommands: [FISExportCommand.self])
}

/// `squall export fis`
struct FISExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fis",
        abstract: "Prints the input of CreateExperimentTemplate for the steps that AWS FIS can do. Calls nothing.",
        discussion: """
            Steps that FIS cannot do are refused, each with the reason; with --partial they are left out. FIS measures \
            nothing: probes, criteria and the steady state stay here, alarms of CloudWatch become its stop conditions. \
            When NAME.fis.json lies beside NAME.yaml, as squall import fis leaves it, everything that was not changed \
            in the experiment since is written as it was there.

            Examples:
              squall export fis zone-loss.yaml --role-arn ARN > template.json
              aws fis create-experiment-template --cli-input-json file://template.json
            """)

    @Argument(help: "The experiment file.")
    var path: String
    @Option(
        name: .customLong("role-arn"), help: "The role that FIS assumes; its account is that of resources named by id.")
    var role: String?
    @Option(help: "The template that the experiment was made of; default: NAME.fis.json beside it, if it is there.")
    var template: String?
    @Flag(help: "Leaves out what FIS cannot do.")
    var partial = false
    @OptionGroup var file: FileOptions
    @OptionGroup var format: FormatOptions

    /// What `--format json` prints.
    private struct Result: Encodable {
        var template: JSONValue?
        var omitted: [FISObstacle]
        var notes: [String]
    }

    func run() async throws {
        if let role, ARN(role) == nil {
            throw failure(2, "'\(role)' is no ARN", next: "aws iam get-role --role-name NAME --query Role.Arn")
        }
        let experiment = try file.load(path, registry: standardRegistry())
        let made = FISExport(experiment, original: try original(), roleARN: role)
        for obstacle in made.obstacles { Output.error("not exported: \(obstacle.line)") }
        for note in made.notes { Output.error("note: \(note)") }
        let document = JSONValue.object(made.template.document)
        let isRefused = !made.hasActions || (!made.obstacles.isEmpty && !partial)
        if format.isJSON {
            try printJSON(Result(template: isRefused ? nil : document, omitted: made.obstacles, notes: made.notes))
        } else if !isRefused {
            Output.line(try JSONLayout(order: FISTemplate.keyOrder).text(document))
        }
        if !made.hasActions {
            throw failure(
                2, "no step of \(path) can be exported",
                next: role == nil ? "squall export fis \(path) --role-arn ARN" : "squall plan \(path)")
        }
        if isRefused {
            throw failure(
                2, "FIS cannot do all of \(path); no template was printed", next: "squall export fis \(path) --partial")
        }
    }

    /// The template that was imported: as named, else beside the experiment.
    private func original() throws -> FISTemplate? {
        let beside = sideFile(of: path)
        guard let source = template ?? (FileAccess.system.exists(beside) ? beside : nil) else { return nil }
        let bytes = try readInput(source, next: "squall export fis \(path) --template FILE")
        do throws(InvalidInput) {
            return try FISTemplate(parsing: String(decoding: bytes, as: UTF8.self))
        } catch {
            Output.error("error: \(source) cannot be used")
            throw fail(error)
        }
    }
}
