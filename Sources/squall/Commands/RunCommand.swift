internal import ArgumentParser
internal import Experiment
internal import Journal

/// `squall run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs an experiment: baseline, faults, heal, recovery, verdict, report.",
        discussion: """
            Ctrl-C heals every fault and still waits for recovery; a second Ctrl-C only stops waiting.

            Example: squall run experiments/disaster-recovery/postgres-primary-loss.yaml --var rate=100/s
            """)

    @Argument(help: "The experiment file.")
    var path: String
    @OptionGroup var file: FileOptions
    @OptionGroup var runs: RunsOptions
    @OptionGroup var safety: SafetyOptions
    @Option(help: "Seeds the random choice of targets; wins over the file.")
    var seed: UInt64?
    @OptionGroup var format: FormatOptions

    func run() async throws {
        try await perform()
    }

    /// Off the main actor: see `Main`.
    @concurrent private func perform() async throws {
        try safety.check()
        let systems = try makeSystems()
        let result = try file.read(path, registry: systems.registry)
        guard var experiment = result.experiment else { throw ExitCode(2) }
        experiment.seed = seed ?? experiment.seed
        try await refuseDirtyJournals(runs.folder, systems)
        let source = result.sources.map(\.text).joined(separator: "\n")
        try await execute(systems, experiment, source: source, runsFolder: runs.folder, format: format)
    }
}

/// Makes the clients, or ends with exit code 5.
func makeSystems() throws -> Systems {
    do {
        return try Systems()
    } catch {
        throw failure(5, "\(error)", next: "squall doctor")
    }
}

/// Refuses to inject while an earlier run has left faults behind.
func refuseDirtyJournals(_ folder: String, _ systems: Systems) async throws {
    let journals = await DirtyJournals(in: folder, host: systems.host)
    for contents in journals.dirty {
        Output.error("error: run \(contents.header.run) ended with \(contents.open.count) change(s) not healed")
    }
    for (path, error) in journals.unreadable { Output.error("error: \(path): \(error)") }
    for entry in journals.lost {
        Output.error("error: run \(entry.run) was never closed, and its journal \(entry.journal) is gone")
    }
    for path in journals.beingHealed { Output.error("error: \(path): its run is dead, and its medic still heals") }
    if journals.dirty.isEmpty, journals.unreadable.isEmpty, journals.lost.isEmpty, journals.beingHealed.isEmpty {
        return
    }
    throw failure(6, "nothing is injected before that is cleaned up", next: "squall heal --all --runs \(folder)")
}

/// Runs a checked experiment and ends the process with the run's own exit code.
func execute(
    _ systems: Systems, _ experiment: Experiment, source: String, runsFolder: String, format: FormatOptions
) async throws {
    let session: RunSession
    do {
        session = try RunSession(
            systems, experiment, source: source, runsFolder: runsFolder, showsLive: !format.isJSON)
    } catch let invalid as InvalidInput {
        throw fail(invalid)
    }
    let finished: FinishedRun
    do {
        finished = try await session.execute()
    } catch {
        throw failure(5, "the run could not begin: \(error); nothing was touched", next: "squall doctor")
    }
    if format.isJSON { Output.line(finished.verdictJSON) } else { finished.print() }
    throw ExitCode(finished.exitCode)
}
