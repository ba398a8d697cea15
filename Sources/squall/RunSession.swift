internal import Basics
internal import Contracts
internal import Controller
internal import Experiment
internal import Glibc
internal import Journal
internal import Network
internal import Process
internal import Report
internal import Synchronization

/// One run from a checked experiment to its files: what `run` and `inject` share.
struct RunSession {
    let systems: Systems
    let assembly: RunAssembly
    /// The experiment's text, for its digest.
    let source: String
    let seed: UInt64
    let runsFolder: String
    let showsLive: Bool

    init(
        _ systems: Systems, _ experiment: Experiment, source: String, runsFolder: String, showsLive: Bool
    ) throws {
        self.systems = systems
        assembly = try RunAssembly(experiment, registry: systems.registry)
        self.source = source
        seed = experiment.seed ?? UInt64.random(in: 1...UInt64(Int64.max))
        self.runsFolder = runsFolder
        self.showsLive = showsLive
    }

    /// Runs, judges, writes every file and returns the report; the caller prints it.
    func execute() async throws -> FinishedRun {
        let folder = RunFolder(
            root: runsFolder,
            run: RunFolder.makeID(title: assembly.experiment.title, at: systems.time.wallClock, seed: seed))
        try folder.create()
        let loop = try EventLoop(name: "squall-files")
        defer { loop.stop() }
        let relay = DriverRelay()
        let live = showsLive ? LiveDisplay(assembly, time: systems.time) : nil
        let recorder = try HistoryRecorder(
            file: (folder.events, loop), retention: retention, observer: { live?.apply($0) },
            onFailure: { relay.send(.environmentFailed("the history cannot be written: \($0)")) })
        recorder.record(.run(try record(folder)))
        let watch = try await RunWatch(
            folder, header: header(folder), loop: loop,
            note: { recorder.record(.note(Note(at: systems.time.now, source: "medic", level: .warning, message: $0))) },
            onFailure: { relay.send(.environmentFailed($0)) })
        var context = systems.context(run: folder.run, secrets: assembly.experiment.secrets) { recorder.record($0) }
        context.services.register(watch.locks, as: (any TargetLocks).self)
        let driver = RunDriver(assembly, context: context, recorder: recorder, journal: watch.journal, seed: seed)
        relay.connect(driver)
        try SignalSource.forward(on: loop) { relay.send(.signal($0)) }
        let leftovers = await run(driver, live, TargetFollower(in: context))
        // What came when the driver had ended already still counts.
        if let failure = await watch.failure(isClean: leftovers.isEmpty), recorder.history.abort == nil {
            recorder.record(.aborted(.environment(failure), at: systems.time.now))
        }
        let finished = try await finish(folder, recorder, leftovers)
        await watch.end()
        return finished
    }

    private func run(_ driver: RunDriver, _ live: LiveDisplay?, _ follower: TargetFollower?) async -> [Leftover] {
        await withTaskGroup(of: [Leftover]?.self) { group in
            if let live {
                group.addTask {
                    await live.run()
                    return nil
                }
            }
            if let follower {
                group.addTask {
                    await follower.run()
                    return nil
                }
            }
            group.addTask { await driver.run() }
            var leftovers: [Leftover] = []
            for await result in group {
                guard let result else { continue }
                leftovers = result
                group.cancelAll()
            }
            return leftovers
        }
    }

    private func finish(
        _ folder: RunFolder, _ recorder: HistoryRecorder, _ leftovers: [Leftover]
    ) async throws -> FinishedRun {
        var failures: [String] = []
        do {
            try await recorder.flush()
        } catch {
            failures.append("\(error)")
        }
        let report = RunReport(Judgement.verdict(of: recorder.history, assembly.criteria), recorder.history)
        var files: [(name: String, path: String)] = []
        do {
            files = try RunFiles.write(report, to: folder.path)
            if let summary = environment("GITHUB_STEP_SUMMARY") { try RunFiles.append(report, toStepSummary: summary) }
        } catch {
            failures.append("\(error)")
        }
        return FinishedRun(report: report, folder: folder, files: files, failures: failures)
    }

    private var retention: Span {
        let steady = assembly.experiment.steadyState?.holdFor ?? .zero
        return max(steady, .seconds(10)) + .seconds(5)
    }

    private func header(_ folder: RunFolder) throws -> JournalHeader {
        JournalHeader(
            run: folder.run, title: assembly.experiment.title, runbook: assembly.experiment.runbook,
            host: systems.host.name, machine: systems.host.machine, bootID: systems.host.bootID, pid: getpid(),
            processStart: try systems.host.process(getpid()).startTime, secrets: assembly.experiment.secrets,
            openedAt: systems.time.wallClock)
    }

    private func record(_ folder: RunFolder) throws -> RunRecord {
        let experiment = assembly.experiment
        let definitions = try JSONValue(encoding: experiment.criteria.map { CriterionRecord($0) }).text()
        return RunRecord(
            run: folder.run, title: experiment.title, description: experiment.description, tags: experiment.tags,
            file: experiment.file, runbook: experiment.runbook, experimentDigest: digest(of: source), seed: seed,
            startedAt: systems.time.now, startedAtWall: systems.time.wallClock, toolVersion: toolVersion,
            environment: machineDescription(), criteria: RunPlan.lines(experiment.criteria),
            criterionDefinitions: definitions, steps: experiment.method.map(\.name),
            steadyStateHold: experiment.steadyState?.holdFor)
    }
}

/// A run that is over.
struct FinishedRun {
    var report: RunReport
    var folder: RunFolder
    var files: [(name: String, path: String)]
    /// Files that could not be written.
    var failures: [String]

    /// The run's code; a run whose files could not be written has not delivered what it promised.
    var exitCode: Int32 {
        let code = report.verdict.exitCode
        return failures.isEmpty || code == RunExitCode.leftover.rawValue
            ? code : RunExitCode.environment.rawValue
    }

    var verdictJSON: String { VerdictJSON.text(report) }

    func print() {
        let size = Output.terminalSize
        let lines = TerminalVerdict.lines(
            report, files: files, width: size?.columns ?? 100, colour: size != nil && environment("NO_COLOR") == nil)
        for line in lines { Output.line(line) }
        for failure in failures { Output.error("error: \(failure)") }
    }
}

/// Hands events to a driver that does not exist yet when the sources of events are set up.
private final class DriverRelay: Sendable {
    private let state = Mutex((driver: RunDriver?.none, early: [RunEvent]()))

    func connect(_ driver: RunDriver) {
        let early = state.withLock { state in
            state.driver = driver
            return state.early
        }
        for event in early { driver.send(event) }
    }

    func send(_ event: RunEvent) {
        let driver = state.withLock { state in
            if state.driver == nil { state.early.append(event) }
            return state.driver
        }
        driver?.send(event)
    }
}
