internal import Basics
internal import Checkers
internal import Contracts
internal import Controller
internal import Docker
internal import Experiment
internal import Journal
internal import Synchronization

/// One world with its processes: the real controller, the real medic and the real heal, on a simulated system.
final class WorldStage: Sendable {
    /// What the processes have come to.
    struct Findings: Sendable {
        /// How the controller ended by itself: what it found left over.
        var controllerLeftovers: [Leftover]?
        /// Every takeover that came to an end, oldest first: what it left.
        var takeovers: [[Leftover]] = []
        var failures: [String] = []
    }

    let plan: WorldPlan
    let world: SimulatedWorld
    let system: SimulatedSystem
    let disk: SimulatedDisk
    let history = WorldHistory()
    let findings = Mutex(Findings())
    let assembly: RunAssembly
    let registry: Registry
    let mutant: Mutant?
    private let mutantState: MutantState?
    private let medics = Mutex([SimulatedProcess]())
    let run = "r1"

    init(_ plan: WorldPlan, mutant: Mutant?) throws {
        self.plan = plan
        self.mutant = mutant
        mutantState = mutant.map { MutantState($0) }
        world = SimulatedWorld(seed: plan.seed, startingAt: WorldPlan.start)
        let disk = SimulatedDisk(seed: plan.seed &+ 1, isFair: plan.weather.isFair, scheduler: world.scheduler)
        disk.state.withLock { $0.neverSyncs = mutant == .neverSyncs }
        self.disk = disk
        var state = SystemState(
            nodes: plan.nodes.map { Label($0) }, others: plan.others, character: plan.character, weather: plan.weather,
            at: WorldPlan.start)
        state.isJournalled = { disk.holdsIntent(for: $0) }
        system = SimulatedSystem(state, scheduler: world.scheduler)
        registry = WorldKinds.registry(mutant)
        assembly = try RunAssembly(plan.experiment, registry: registry)
    }

    var medicProcesses: [SimulatedProcess] { medics.withLock { $0 } }

    private func context(
        _ process: SimulatedProcess, record: @escaping @Sendable (HistoryEvent) -> Void
    ) -> SystemContext {
        let caller = Caller(process: process, system: system)
        let boot = system.at { $0.boot }
        var services = Services()
        services.register(caller)
        services.register(plan.probes)
        services.register(
            SimulatedEngine(caller: caller, mayBeLocal: plan.isLocal), as: (any ContainerEngine).self)
        services.register(SimulatedHost(caller: caller, bootID: "boot \(boot)"), as: (any Host).self)
        services.register(SimulatedControlGroups(system: system), as: (any ControlGroups).self)
        services.register(FreeLocks(), as: (any TargetLocks).self)
        guard let mutantState else {
            return SystemContext(time: process, services: services, secrets: .empty, run: run, record: record)
        }
        services.register(mutantState)
        return SystemContext(time: process, services: services, secrets: .empty, run: run) { event in
            record(mutantState.altered(event))
        }
    }

    // MARK: Controller

    /// Starts `squall run`; the driver takes signals.
    func startController() throws -> (process: SimulatedProcess, driver: RunDriver) {
        let process = world.process("controller")
        let recorder = try HistoryRecorder(file: nil, retention: .seconds(15), observer: { _ in }, onFailure: { _ in })
        history.follow(recorder, of: process)
        let relay = Relay()
        let link = SimulatedMedicLink(
            controller: process, seed: plan.seed &+ 2, isDeaf: mutant == .medicIgnoresEndOfFile,
            launch: { [self] in startMedic($0, $1, controller: process) },
            onLoss: { relay.send(.environmentFailed("the medic is lost")) })
        let sink = SimulatedJournal(disk: disk, process: process)
        let journal: any JournalSink = mutant.map { MutantJournal(sink, $0) } ?? sink
        let driver = RunDriver(
            assembly, context: context(process, record: { recorder.record($0) }), recorder: recorder,
            journal: WatchedJournal(journal, medic: link), seed: plan.seed)
        relay.connect(driver)
        process.start { [self] in
            // Driver, journal, link and relay hold on to each other as long as the driver can be told something.
            defer { relay.connect(nil) }
            disk.state.withLock { state in
                state.owner = process.number
                state.controller = process.number
            }
            do throws(JournalError) {
                try await journal.append(.opened(header(of: process)))
            } catch {
                findings.withLock { $0.failures.append("the journal cannot be created: \(error)") }
                return
            }
            link.start()
            recorder.record(.run(record(of: process)))
            let leftovers = await driver.run()
            guard !process.isDead else { return }
            findings.withLock { $0.controllerLeftovers = leftovers }
            link.dismiss()
        }
        return (process, driver)
    }

    private func header(of process: SimulatedProcess) -> JournalHeader {
        JournalHeader(
            run: run, title: "simulated", runbook: nil, host: "simulated", machine: "simulated", bootID: "boot 1",
            pid: Int32(process.number), processStart: 1, secrets: [], openedAt: process.wallClock)
    }

    private func record(of process: SimulatedProcess) -> RunRecord {
        RunRecord(
            run: run, title: "simulated", file: "simulated.yaml", seed: plan.seed, startedAt: process.now,
            startedAtWall: process.wallClock, toolVersion: "0", steps: assembly.experiment.method.map(\.name),
            steadyStateHold: assembly.experiment.steadyState?.holdFor)
    }

    // MARK: Medic and heal

    private func startMedic(_ number: Int, _ link: SimulatedMedicLink, controller: SimulatedProcess) {
        let process = world.process("medic \(number)")
        medics.withLock { $0.append(process) }
        let store: any JournalStore = stored(process)
        let medic = Medic(
            store: store, registry: registry, context: context(process, record: appending(process)))
        let delay = Span.milliseconds(Int64(plan.seed % 40))
        process.start { [self] in
            guard (try? await process.sleep(for: delay)) != nil else { return }
            link.attach(medic, in: process)
            let outcome = await medic.watch()
            guard !process.isDead else { return }
            switch outcome {
            case .dismissed: break
            case .tookOver(let outcome): tookOver(outcome)
            case .failed(let error): findings.withLock { $0.failures.append("the medic: \(error)") }
            }
        }
        for blow in plan.blows(onMedic: number) { process.plan(blow) }
    }

    /// A dead process writes no line more.
    private func appending(_ process: SimulatedProcess) -> @Sendable (HistoryEvent) -> Void {
        { [history] event in
            if !process.isDead { history.append(event) }
        }
    }

    private func stored(_ process: SimulatedProcess) -> any JournalStore {
        let store = SimulatedStore(disk: disk, process: process)
        return mutant.map { MutantStore(store: store, mutant: $0) } ?? store
    }

    /// Starts `squall heal`.
    func startHeal(_ number: Int) -> SimulatedProcess {
        let process = world.process("heal \(number)")
        let context = context(process, record: appending(process))
        let store = stored(process)
        let takeover = Takeover(
            store: store, healer: Healer(registry: registry, context: context), context: context)
        let hasEnded = history.history.endedAt != nil
        process.start { [self] in
            do throws(JournalError) {
                tookOver(
                    try await takeover.run(cause: hasEnded ? nil : .controllerDied("squall heal cleaned up")))
            } catch {
                if !process.isDead { findings.withLock { $0.failures.append("heal \(number): \(error)") } }
            }
        }
        return process
    }

    private func tookOver(_ outcome: Takeover.Outcome) {
        findings.withLock { findings in
            findings.takeovers.append(outcome.leftovers)
        }
    }
}

/// Nobody else is on this machine.
private struct FreeLocks: TargetLocks {
    func acquire(_ resources: [String], of target: String) throws(FaultError) {}
}

/// Hands events to a driver that is made later.
private final class Relay: Sendable {
    private let driver = Mutex(RunDriver?.none)

    func connect(_ driver: RunDriver?) { self.driver.withLock { $0 = driver } }
    func send(_ event: RunEvent) { driver.withLock { $0 }?.send(event) }
}

/// Every kind of a world.
enum WorldKinds {
    static func registry(_ mutant: Mutant?) -> Registry { mutant.map { $0.registry } ?? plain }

    static let plain = Registry(
        faults: [
            ContainerKillFault.self, ContainerStopFault.self, ContainerPauseFault.self, ContainerRestartFault.self,
            SimulatedRuleFault.self, SimulatedSettingFault.self,
        ], mutations: [SimulatedSchema.self], probes: [SimulatedLedger.self, SimulatedRoles.self],
        checkers: CheckerKinds.registry.checkers, targetSources: [DockerTargetSource.self],
        enrichers: [ContainerEnricher()])
}
