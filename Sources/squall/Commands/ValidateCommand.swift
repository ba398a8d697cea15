internal import ArgumentParser
internal import Basics
internal import Contracts
internal import Controller
internal import Experiment

/// `squall validate`
struct ValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Checks experiment files: every error with its place, all at once. Touches nothing.",
        discussion: "Example: squall validate experiments/disaster-recovery/*.yaml")

    @Argument(help: "Experiment files.")
    var files: [String]
    @OptionGroup var file: FileOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        let registry = standardRegistry()
        var isValid = true
        var all: [Diagnostic] = []
        for path in files {
            let result: LoadResult
            if format.isJSON {
                result = try file.loader(registry).load(path)
                all += result.diagnostics.all
            } else {
                result = try file.read(path, registry: registry)
            }
            if let experiment = result.experiment, assembles(experiment, registry, &all) {
                if !format.isJSON { Output.line("\(path): valid (\(experiment.title))") }
            } else {
                isValid = false
            }
        }
        if format.isJSON { try printJSON(all) }
        if !isValid { throw ExitCode(2) }
    }

    /// What no single declaration shows: whether the limits allow the faults.
    private func assembles(_ experiment: Experiment, _ registry: Registry, _ all: inout [Diagnostic]) -> Bool {
        do throws(InvalidInput) {
            _ = try RunAssembly(experiment, registry: registry)
            return true
        } catch {
            all += error.diagnostics
            if !format.isJSON { _ = fail(error) }
            return false
        }
    }
}
