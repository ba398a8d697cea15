import Basics
import Contracts
import Experiment
import Journal
import Simulation
import Synchronization

@testable import Controller

/// A service whose truth is known: a fault takes it down, it comes back by itself after `outage`.
final class FakeSystem: Sendable {
    struct State {
        var downFrom: Instant?
        var upAgain: Instant?
        var isFaulty = false
        var injections = 0
        var heals = 0
        var residue = false
    }

    let outage: Span
    let lies: Bool
    let healFails: Bool
    let prepareFails: Bool
    /// How long the probe takes to look for the first time.
    let firstLook: Span
    let state = Mutex(State())

    init(
        outage: Span = .seconds(7), lies: Bool = false, healFails: Bool = false, prepareFails: Bool = false,
        firstLook: Span = .zero
    ) {
        self.outage = outage
        self.lies = lies
        self.healFails = healFails
        self.prepareFails = prepareFails
        self.firstLook = firstLook
    }

    func isUp(at now: Instant) -> Bool {
        state.withLock { state in
            guard let from = state.downFrom, let until = state.upAgain else { return true }
            return now < from || now >= until
        }
    }
}

struct FakeFault: Fault {
    struct Undo: Codable, Sendable { var mark: String }

    static let kind = "fake.outage"
    static let manual = Manual(summary: "", details: "", example: "")
    static let parameters: [any AnyParameter] = []
    static let requires: Set<Target.Attribute> = []
    static let targeting = Targeting.optional

    init(from reader: inout ParameterReader) {}

    func plan(for target: Target) -> PlannedOperation { PlannedOperation(operation: "", undo: "", privileges: []) }

    func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        if try context.services.require(FakeSystem.self).prepareFails {
            throw FaultError(.notApplicable, "the fake is already broken")
        }
        return Undo(mark: context.run)
    }

    func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let system = try context.services.require(FakeSystem.self)
        let now = context.time.now
        system.state.withLock { state in
            state.injections += 1
            state.isFaulty = true
            if system.lies { return }
            state.downFrom = now
            state.upAgain = now + system.outage
        }
        return system.lies ? .unproven("the fake did nothing") : .confirmed(InstantRange(now), evidence: "it is down")
    }

    static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let system = try context.services.require(FakeSystem.self)
        if system.healFails { throw FaultError(.denied, "the fake cannot be healed") }
        system.state.withLock { state in
            state.heals += 1
            state.isFaulty = false
        }
    }

    static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let system = try context.services.require(FakeSystem.self)
        return system.state.withLock(\.isFaulty) ? Leftover(kind: kind, target: "fake", description: "still down") : nil
    }

    static func manualHeal(_ undo: Undo) -> [String] { ["repair the fake"] }
}

/// Asks the fake every 100 ms; leaves a row behind that the journal must know of.
struct FakeProbe: Probe {
    static let kind = "fake.check"
    static let manual = Manual(summary: "", details: "", example: "")
    static let parameters: [any AnyParameter] = []
    static let emits: Set<ObservationKind> = [.operations, .states]

    let name: Label

    init(name: Label, from reader: inout ParameterReader) {
        self.name = name
    }

    func preflight(in context: SystemContext) async -> [Finding] { [] }

    func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        let id = try await context.journal("fake.row", "row", .object([:]))
        let system = try context.system.services.require(FakeSystem.self)
        system.state.withLock { $0.residue = true }
        return FakeSession(name: name, context: context, system: system, row: id)
    }
}

struct FakeSession: ProbeSession {
    let name: Label
    let context: ProbeContext
    let system: FakeSystem
    let row: MutationID

    func run() async {
        let time = context.system.time
        let start = time.now + system.firstLook
        var sequence: Int64 = 0
        while !Task.isCancelled {
            let due = start + .milliseconds(100) * sequence
            guard (try? await time.sleep(until: due)) != nil else { return }
            let isUp = system.isUp(at: due)
            context.system.record(
                .operation(
                    Operation(
                        probe: name, path: "kept", action: .write, sequence: sequence, due: due, sent: due,
                        end: due + .milliseconds(1), outcome: isUp ? .ok : .failed, reason: isUp ? "" : "refused")))
            context.system.record(
                .state(
                    StateSample(
                        probe: name, node: "n1", sent: due, end: due,
                        state: isUp ? StateSample.primary : StateSample.unreachable)))
            sequence += 1
        }
    }

    func close() async throws(FaultError) {
        system.state.withLock { $0.residue = false }
        try await context.closeJournal(row)
    }
}

struct FakeRow: Mutation {
    struct Undo: Codable, Sendable {}
    static let kind = "fake.row"
    static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        try context.services.require(FakeSystem.self).state.withLock { $0.residue = false }
    }
    static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let isThere = try context.services.require(FakeSystem.self).state.withLock(\.residue)
        return isThere ? Leftover(kind: kind, target: "row", description: "a row") : nil
    }
    static func manualHeal(_ undo: Undo) -> [String] { [] }
}

struct FakeChecker: Checker {
    static let kind = "fake"
    static let manual = Manual(summary: "", details: "", example: "")
    static let parameters: [any AnyParameter] = []
    static let needs: Set<ObservationKind> = [.operations]
    init(from reader: inout ParameterReader) {}
    var budget: OutageBudget {
        OutageBudget(recoveryTime: .seconds(30), window: .seconds(60), recoveryWithin: .minutes(2))
    }
    func check(_ history: History, _ subject: CheckSubject) -> CriterionResult {
        CriterionResult(
            name: subject.name, kind: Self.kind, probe: "", limit: "", unit: "s", samples: history.operations.count,
            verdict: .pass, reason: "")
    }
}

/// Nobody else is on this machine.
struct FreeLocks: TargetLocks {
    func acquire(_ resources: [String], of target: String) throws(FaultError) {}
}

/// The journal of a simulated world.
final class MemoryJournal: JournalSink {
    private let state = Mutex((records: [JournalRecord](), failsAt: Int?.none))

    init(failingAt number: Int? = nil) {
        state.withLock { $0.failsAt = number }
    }

    var records: [JournalRecord] { state.withLock(\.records) }

    func append(_ record: JournalRecord) async throws(JournalError) {
        let fails = state.withLock { state in
            if let limit = state.failsAt, state.records.count >= limit { return true }
            state.records.append(record)
            return false
        }
        if fails { throw JournalError(.writeFailed, "no space left") }
    }

    func takeTurn() async throws(JournalError) -> Bool { true }

    func endTurn() async {}
}

private let nowhere = Location(file: "test", line: 1, column: 1)
private let empty = Node.mapping(.init([], at: nowhere))

/// An experiment on the fake: baseline 5 s, one fault, 60 s of observation.
func fakeExperiment(steps: [Step] = [fakeStep("outage")]) -> Experiment {
    var experiment = Experiment(file: "fake.yaml", title: "fake")
    experiment.probes = [Declaration(name: "orders", kind: FakeProbe.kind, parameters: empty, location: nowhere)]
    experiment.method = steps
    let condition = MetricCondition(metric: "success", comparison: Comparison(.atLeast, .share(Share(fraction: 0.99))))
    experiment.steadyState = SteadyState(
        title: "up", holdFor: .seconds(5),
        expectations: [Expectation(probe: "orders", tolerance: [condition], location: nowhere)])
    experiment.criteria = [
        CriterionDeclaration(
            kind: FakeChecker.kind, probe: "orders",
            declaration: Declaration(name: "fake", kind: FakeChecker.kind, parameters: empty, location: nowhere))
    ]
    return experiment
}

func fakeStep(
    _ name: String, duration: Span? = nil, startAfter: [String]? = nil, delay: Span = .zero
) -> Step {
    Step(
        name: name, fault: Declaration(name: name, kind: FakeFault.kind, parameters: empty, location: nowhere),
        targets: [],
        duration: duration, startAfter: startAfter, delay: delay)
}

/// One run on a fake system in a simulated world.
struct SimulatedRun: Sendable {
    var history: History
    var leftovers: [Leftover]
    var journal: [JournalRecord]
    var system: FakeSystem
    var seconds: Double

    static let registry = Registry(
        faults: [FakeFault.self, FakeBetweenFault.self], mutations: [FakeRow.self], probes: [FakeProbe.self],
        checkers: [FakeChecker.self], targetSources: [NamedTargets.self])

    init?(
        _ experiment: Experiment = fakeExperiment(), on system: FakeSystem = FakeSystem(), seed: UInt64 = 1,
        journalFailsAt: Int? = nil, signals: [(after: Span, number: CInt)] = []
    ) throws {
        let world = SimulatedWorld(seed: seed)
        let start = world.now
        let registry = Self.registry
        var services = Services()
        services.register(system)
        services.register(FreeLocks(), as: (any TargetLocks).self)
        let recorder = try HistoryRecorder(file: nil, retention: .seconds(30), observer: { _ in }, onFailure: { _ in })
        let context = SystemContext(
            time: world, services: services, secrets: .empty, run: "run-1", record: { recorder.record($0) })
        let journal = MemoryJournal(failingAt: journalFailsAt)
        let driver = RunDriver(
            try RunAssembly(experiment, registry: registry), context: context, recorder: recorder, journal: journal,
            seed: 1)
        let leftovers = world.run {
            await withTaskGroup(of: [Leftover].self) { group in
                for signal in signals {
                    group.addTask {
                        if (try? await world.sleep(until: start + signal.after)) != nil {
                            driver.send(.signal(signal.number))
                        }
                        return []
                    }
                }
                let leftovers = await driver.run()
                group.cancelAll()
                return leftovers
            }
        }
        guard let leftovers else { return nil }
        self.leftovers = leftovers
        history = recorder.history
        self.journal = journal.records
        self.system = system
        seconds = (world.now - start).seconds
    }

    var phases: [Phase] { history.phases.map(\.phase) }
}
