import Basics
import Contracts
import Experiment
import Journal
import Synchronization
import Testing

@testable import Controller

@Suite struct RunDriverTests {
    @Test(arguments: 1...20)
    func aRunGoesThroughEveryPhaseAndLeavesNothing(seed: Int) throws {
        let run = try #require(try SimulatedRun(seed: UInt64(seed)))
        #expect(run.phases == [.preflight, .baseline, .injecting, .observing, .healing, .settling, .judged])
        #expect(run.leftovers.isEmpty)
        #expect(run.history.abort == nil)
        #expect(run.history.faults.map(\.stage) == [.healed])
        #expect(run.history.faults.first?.isProven == true)
        #expect(run.history.steadyStates.map(\.held) == [true, true])
        #expect(run.system.state.withLock { $0.heals } == 1)
        // Baseline 5 s, window 60 s, settling 5 s; each watch looks every 250 ms.
        #expect((70.0...72.0).contains(run.seconds))
    }

    @Test func theUndoIsInTheJournalBeforeTheSystemIsTouched() throws {
        for limit in 0..<6 {
            let run = try #require(try SimulatedRun(journalFailsAt: limit))
            let intents = run.journal.filter {
                if case .intent(let intent) = $0 { !intent.step.isEmpty } else { false }
            }
            #expect(run.system.state.withLock { $0.injections } <= intents.count)
            #expect(run.leftovers.isEmpty)
        }
    }

    @Test func aFaultThatDidNothingIsUnprovenAndStillHealed() throws {
        let run = try #require(try SimulatedRun(on: FakeSystem(lies: true)))
        #expect(run.history.faults.map(\.isProven) == [false])
        #expect(run.leftovers.isEmpty)
        #expect(run.system.state.withLock { $0.heals } == 1)
    }

    @Test func aServiceThatIsNotSteadyVoidsTheRunBeforeAnythingIsInjected() throws {
        let system = FakeSystem()
        system.state.withLock { state in
            state.downFrom = Instant(nanoseconds: 0)
            state.upAgain = Instant(nanoseconds: .max)
        }
        let run = try #require(try SimulatedRun(on: system))
        #expect(!run.phases.contains(.injecting))
        #expect(run.system.state.withLock { $0.injections } == 0)
        #expect(run.history.steadyStates.map(\.held) == [false])
        #expect(run.history.abort?.reason == .steadyStateNotReached("it did not hold within 25s"))
        #expect(run.leftovers.isEmpty)
    }

    @Test func aHealThatFailsIsALeftoverAndTheRunStillEnds() throws {
        let run = try #require(try SimulatedRun(on: FakeSystem(healFails: true)))
        #expect(run.leftovers.map(\.kind) == [FakeFault.kind])
        #expect(run.history.steadyStates.last?.detail == "1 fault(s) could not be healed")
        #expect(run.history.faults.map(\.stage) == [.healFailed])
        #expect(run.phases.last == .judged)
        #expect(RunExitCode.code(verdict: .pass, abort: nil, leftovers: run.leftovers) == 6)
    }

    @Test func aFaultThatCannotBePreparedEndsTheRunWithoutTouchingAnything() throws {
        let run = try #require(try SimulatedRun(on: FakeSystem(prepareFails: true)))
        #expect(run.system.state.withLock { $0.injections } == 0)
        #expect(run.history.faults.map(\.stage) == [.refused])
        #expect(run.leftovers.isEmpty)
    }

    @Test(arguments: [1, 4, 6, 20, 66, 69])
    func aSignalAtAnyTimeHealsAndStillWaitsForRecovery(second: Int) throws {
        let run = try #require(try SimulatedRun(signals: [(.seconds(Int64(second)), 2)]))
        #expect(run.leftovers.isEmpty)
        #expect(run.history.abort?.reason == .signal(2))
        #expect(run.system.state.withLock { !$0.isFaulty })
        if second >= 6 { #expect(run.history.steadyStates.last.map { $0.phase == .settling && $0.held } == true) }
    }

    @Test func aSecondSignalStopsWaitingForRecoveryButNotTheHeal() throws {
        let system = FakeSystem(outage: .minutes(10))
        let run = try #require(
            try SimulatedRun(on: system, signals: [(.seconds(20), 2), (.seconds(25), 2)]))
        #expect(run.system.state.withLock { $0.heals } == 1)
        #expect(run.history.steadyStates.last.map { $0.phase == .settling && !$0.held } == true)
        #expect((24.0...27.0).contains(run.seconds))
    }

    @Test func aFaultWithADurationHealsByItselfWhileTheOthersGoOn() throws {
        let steps = [fakeStep("short", duration: .seconds(3)), fakeStep("long")]
        let run = try #require(try SimulatedRun(fakeExperiment(steps: steps)))
        let faults = Dictionary(uniqueKeysWithValues: run.history.faults.map { ($0.step.text, $0) })
        let short = try #require(faults["short"])
        let held = try #require(short.healedAt) - (try #require(short.effectiveAt)).upper
        #expect((3.0...3.1).contains(held.seconds))
        let long = try #require(faults["long"])
        #expect(try #require(long.healedAt) > (try #require(short.healedAt)))
    }

    @Test func aTimedFaultThatOutlastsTheObservationEndsItWhenItHeals() throws {
        let run = try #require(try SimulatedRun(fakeExperiment(steps: [fakeStep("long", duration: .seconds(100))])))
        #expect(run.history.abort == nil)
        #expect((110.0...112.0).contains(run.seconds))
    }

    @Test func aStopConditionEndsTheRunEarly() throws {
        var experiment = fakeExperiment()
        let condition = MetricCondition(metric: "success", comparison: Comparison(.below, .share(Share(fraction: 0.5))))
        experiment.stopConditions = [
            StopCondition(
                probe: "orders", when: condition, holdFor: .seconds(2), location: Location(file: "", line: 1, column: 1)
            )
        ]
        let run = try #require(try SimulatedRun(experiment, on: FakeSystem(outage: .minutes(5))))
        guard case .stopCondition? = run.history.abort?.reason else {
            Issue.record("the run was not stopped: \(String(describing: run.history.abort))")
            return
        }
        #expect(run.leftovers.isEmpty)
        #expect(RunExitCode.code(verdict: .pass, abort: run.history.abort?.reason, leftovers: []) == 4)
    }

    /// Whoever the probe reports as primary, in a file without a steady state: the step is due with the probe's start.
    private func withoutBaseline(firstLook: Span) throws -> SimulatedRun {
        let place = Location(file: "", line: 1, column: 1)
        var step = fakeStep("outage")
        step.targets = [NamedValue(name: "target", value: "primary")]
        var experiment = fakeExperiment(steps: [step])
        experiment.steadyState = nil
        experiment.targets = [
            TargetDeclaration(
                name: "primary", source: .probe(name: "orders", role: "primary"), mode: .all, location: place)
        ]
        return try #require(try SimulatedRun(experiment, on: FakeSystem(firstLook: firstLook)))
    }

    @Test(arguments: [Span.zero, .milliseconds(300), .milliseconds(2_900)])
    func aStepWaitsForTheFirstLookOfTheProbeThatNamesItsTarget(firstLook: Span) throws {
        let run = try withoutBaseline(firstLook: firstLook)
        #expect(run.history.abort == nil)
        #expect(run.history.faults.map(\.target.text) == ["n1"])
        let begin = try #require(run.history.start(of: .injecting))
        let wait = try #require(run.history.faults.first?.effectiveAt).lower - begin
        #expect(wait >= firstLook && wait <= firstLook + .milliseconds(20))
    }

    @Test func aProbeThatDoesNotLookIsNotWaitedForLong() throws {
        let run = try withoutBaseline(firstLook: .seconds(30))
        let reason = "step 'outage': target 'primary': probe 'orders' reports no node as primary right now"
        #expect(run.history.abort?.reason == .refused(reason))
        #expect(run.system.state.withLock { $0.injections } == 0)
        #expect((3.0...3.5).contains(run.seconds))
    }

    @Test func theSameSeedGivesTheSameRun() throws {
        let runs = try (0..<3).map { _ in try #require(try SimulatedRun(seed: 7)) }
        #expect(Set(runs.map(\.seconds)).count == 1)
        #expect(Set(runs.map { $0.history.operations.count }).count == 1)
    }
}
