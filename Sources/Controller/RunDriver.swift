internal import Basics
package import Contracts
internal import Experiment
package import Journal
internal import Synchronization

/// Performs what the state machine decides: the impure half of a run.
///
/// One loop handles events one after another; every action that waits runs in a child task and reports back as an
/// event. Nothing here is ever cancelled before the heal has finished: signals come in as events.
package final class RunDriver: Sendable {
    let assembly: RunAssembly
    let context: SystemContext
    let recorder: HistoryRecorder
    let changes: ChangeLog
    let healer: Healer
    let probes: ProbeRunner
    let resolver: TargetResolver
    let turns = TargetTurns()
    private let events: AsyncStream<RunEvent>
    private let inbox: AsyncStream<RunEvent>.Continuation
    let state: Mutex<State>

    struct State: Sendable {
        var machine: RunStateMachine
        var generator: SeededGenerator
        /// Ids of all targets touched so far, for the limit.
        var touched: Set<String> = []
        /// Raised by every phase change, so that watches of an earlier phase end.
        var phaseNumber = 0
        var probesRun = false
        /// When the first and the newest fault took effect (or were injected without proof).
        var faultInstant: Instant?
        var newestFaultInstant: Instant?
        /// Ids drawn for a declared target: a second step that names it acts on the same ones.
        var drawn: [String: Set<String>] = [:]
        var healResults: [Healer.Result] = []
        /// Changes that a task is healing right now.
        var healing: Set<MutationID> = []
    }

    /// - Parameter seed: for the random choice of targets; recorded in the run.
    package init(
        _ assembly: RunAssembly, context: SystemContext, recorder: HistoryRecorder, journal: any JournalSink,
        seed: UInt64
    ) {
        self.assembly = assembly
        var context = context
        context.longestRun = assembly.longestRun
        self.context = context
        self.recorder = recorder
        changes = ChangeLog(journal: journal, time: context.time)
        healer = Healer(registry: assembly.registry, context: context)
        for named in assembly.probes {
            recorder.expectMeasurements(type(of: named.probe).metrics, of: Label(named.name))
        }
        probes = ProbeRunner(assembly.probes, context: .journalled(context, changes))
        let byName = Dictionary(assembly.probes.map { ($0.name, $0.probe) }) { first, _ in first }
        resolver = TargetResolver(
            assembly.experiment, registry: assembly.registry, probes: byName, context: context)
        (events, inbox) = AsyncStream.makeStream()
        let machine = RunStateMachine(
            method: assembly.experiment.method, hasSteadyState: assembly.experiment.steadyState != nil,
            timing: assembly.timing)
        state = Mutex(State(machine: machine, generator: SeededGenerator(seed: seed)))
    }

    /// Hands an event in from outside: a signal, a full disk.
    package func send(_ event: RunEvent) {
        inbox.yield(event)
    }

    /// Runs to the end, heals whatever happens, and returns what is left over (empty: the system was read and is clean).
    package func run() async -> [Leftover] {
        await withDiscardingTaskGroup { group in
            send(.start)
            for await event in events {
                let actions = state.withLock { $0.machine.handle(event, at: context.time.now) }
                for action in actions { perform(action, in: &group) }
                if actions.contains(.finish) { break }
            }
            // Only timers and watches are left: every change is healed and every probe closed.
            group.cancelAll()
        }
        return await finish()
    }

    private func perform(_ action: RunAction, in group: inout DiscardingTaskGroup) {
        switch action {
        case .enter(let phase):
            state.withLock { $0.phaseNumber += 1 }
            recorder.record(.phase(phase, at: context.time.now))
        case .runPreflight: group.addTask { self.send(.preflightFinished(await self.preflight())) }
        case .startProbes: startProbes(in: &group)
        case .watchSteadyState(let phase): group.addTask { await self.watchSteadyState(phase) }
        case .recordSteadyState(let phase, let held, let detail):
            recorder.record(.steadyState(phase: phase, held: held, at: context.time.now, detail: detail))
        case .inject(let step):
            group.addTask { self.send(await self.inject(step)) }
        case .heal(let step): group.addTask { self.send(await self.heal(step: step)) }
        case .snapshotAndHealAll: group.addTask { await self.healAll() }
        case .watchObservation:
            group.addTask { await self.watchObservation() }
        case .collect: group.addTask { await self.collect() }
        case .recordAbort(let reason): recorder.record(.aborted(reason, at: context.time.now))
        case .wakeAt(let instant):
            group.addTask {
                if (try? await self.context.time.sleep(until: instant)) != nil { self.send(.tick) }
            }
        case .finish: break
        }
    }

    // MARK: Probes

    private func startProbes(in group: inout DiscardingTaskGroup) {
        group.addTask {
            do throws(FaultError) {
                try await self.probes.start()
            } catch {
                self.send(.probesFailed("\(error)"))
                return
            }
            self.state.withLock { $0.probesRun = true }
            self.send(.probesStarted)
            await self.probes.run()
        }
        if !assembly.experiment.stopConditions.isEmpty { group.addTask { await self.watchStopConditions() } }
    }

    private func collect() async {
        await probes.stop(wasRunning: state.withLock { $0.probesRun })
        if state.withLock({ $0.faultInstant != nil || assembly.faults.isEmpty }) { await probes.collect() }
        for failure in await probes.close() {
            recorder.record(
                .note(Note(at: context.time.now, source: "controller", level: .warning, message: "\(failure)")))
        }
        send(.collected)
    }

    // MARK: Healing

    private func heal(step: String) async -> RunEvent {
        let results = await heal(changes.open.filter { $0.step == step })
        let failure = results.first { !$0.isHealed }
        return failure.map { .stepHealFailed(step, reason: $0.failure.map { "\($0)" } ?? "left over") }
            ?? .stepHealed(step)
    }

    private func healAll() async {
        await probes.snapshot()
        let results = await heal(changes.open.filter { !$0.step.isEmpty })
        send(.healFinished(leftovers: results.filter { !$0.isHealed }.count))
    }

    private func heal(_ intents: [JournalIntent]) async -> [Healer.Result] {
        // A step whose time is over and an abort may want the same change healed: the second waits for the first.
        let mine = state.withLock { state in
            let mine = intents.filter { !state.healing.contains($0.id) }
            state.healing.formUnion(mine.map(\.id))
            return mine
        }
        let results = mine.isEmpty ? [] : await changes.whileHavingTurn { await healInTurn(mine) }
        state.withLock { $0.healing.subtract(mine.map(\.id)) }
        let others = Set(intents.map(\.id)).subtracting(mine.map(\.id))
        while state.withLock({ !$0.healing.isDisjoint(with: others) }) {
            guard (try? await context.time.sleep(for: .milliseconds(20))) != nil else { break }
        }
        return results
    }

    private func healInTurn(_ intents: [JournalIntent]) async -> [Healer.Result] {
        do throws(JournalError) {
            let results = try await healer.heal(intents, unconfirmed: changes.unconfirmed) {
                record throws(JournalError) in
                try await changes.append(record)
            }
            state.withLock { $0.healResults += results }
            return results
        } catch {
            // A journal that cannot be written must not stop a heal: the second pass writes nothing.
            note("the journal failed while healing: \(error); healing goes on without it", .error)
            let results = await healer.healWithoutJournal(
                intents, unconfirmed: changes.unconfirmed)
            state.withLock { $0.healResults += results }
            return results
        }
    }

    /// Heals what the probes' own close has left, then reads the real state of every change of the run.
    private func finish() async -> [Leftover] {
        let unhealed = await heal(changes.open).filter { !$0.isHealed }
        // What could not be healed is left over even where reading back cannot show it.
        let ids = Set(unhealed.map(\.intent.id))
        let leftovers =
            await unhealed.compactMap(\.remaining) + healer.leftovers(changes.all.filter { !ids.contains($0.id) })
        recorder.record(.cleanUp(leftovers: leftovers, at: context.time.now))
        if leftovers.isEmpty {
            do throws(JournalError) {
                try await changes.append(.closed(at: context.time.now))
            } catch {
                note("the journal could not be closed: \(error)", .warning)
            }
        }
        recorder.record(.ended(at: context.time.now))
        return leftovers
    }

    func note(_ message: String, _ level: Note.Level) {
        recorder.record(.note(Note(at: context.time.now, source: "controller", level: level, message: message)))
    }
}

extension ProbeContext {
    /// A probe's own changes go through the run's journal, without a step.
    static func journalled(_ context: SystemContext, _ changes: ChangeLog) -> ProbeContext {
        ProbeContext(system: context) { kind, target, undo throws(FaultError) in
            try await changes.begin(step: "", kind: kind, target: target, targetName: target, undo: undo).id
        } closeJournal: { id throws(FaultError) in
            do {
                try await changes.append(.healed(id, at: context.time.now))
            } catch {
                throw FaultError(.denied, "\(error)")
            }
        }
    }
}
