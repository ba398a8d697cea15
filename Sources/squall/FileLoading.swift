internal import ArgumentParser
internal import Basics
internal import Contracts
internal import Experiment

extension FileOptions {
    /// Reads the file, prints its findings to standard error, and ends with exit code 2 when there are errors.
    func load(_ path: String, registry: Registry) throws -> Experiment {
        let result = try read(path, registry: registry)
        guard let experiment = result.experiment else { throw ExitCode(2) }
        return experiment
    }

    func loader(_ registry: Registry) throws -> ExperimentLoader {
        ExperimentLoader(catalog: registry.catalog, environment: processEnvironment(), overrides: try overrides())
    }

    /// Reads the file and prints its findings.
    func read(_ path: String, registry: Registry) throws -> LoadResult {
        let result = try loader(registry).load(path)
        let renderer = DiagnosticRenderer(sources: result.sources, usesColor: Output.usesColor)
        for diagnostic in result.diagnostics.all { Output.error(renderer.render(diagnostic)) }
        return result
    }
}

/// Prints findings that have no file and ends with exit code 2.
func fail(_ invalid: InvalidInput) -> ExitCode {
    let renderer = DiagnosticRenderer(sources: [], usesColor: Output.usesColor)
    for diagnostic in invalid.diagnostics { Output.error(renderer.render(diagnostic)) }
    return ExitCode(2)
}

/// Prints one error with the next command to type and gives the exit code to throw.
func failure(_ code: Int32, _ message: String, next: String? = nil) -> ExitCode {
    Output.error("error: \(message)")
    if let next { Output.error("next: \(next)") }
    return ExitCode(code)
}
