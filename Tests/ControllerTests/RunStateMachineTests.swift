import Basics
import Contracts
import Experiment
import Testing

@testable import Controller

private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

private func machine(_ steps: [Step] = [fakeStep("kill")], hasSteadyState: Bool = true) -> RunStateMachine {
    RunStateMachine(
        method: steps, hasSteadyState: hasSteadyState,
        timing: .init(baselineLimit: .seconds(30), settlingLimit: .seconds(60), maxDuration: .seconds(600)))
}

@Suite struct RunStateMachineTests {
    @Test func theLifeCycleOfAGoodRun() {
        var run = machine()
        #expect(run.handle(.start, at: at(0)) == [.enter(.preflight), .runPreflight])
        #expect(run.handle(.preflightFinished(.passed), at: at(0)) == [.startProbes])
        #expect(
            run.handle(.probesStarted, at: at(1)) == [.enter(.baseline), .watchSteadyState(.baseline), .wakeAt(at(31))])
        #expect(
            run.handle(.steadyStateHeld("ok"), at: at(11)) == [
                .recordSteadyState(.baseline, held: true, detail: "ok"), .enter(.injecting), .wakeAt(at(611)),
                .inject("kill"),
            ])
        #expect(run.handle(.stepActive("kill"), at: at(12)) == [.enter(.observing), .watchObservation])
        #expect(run.handle(.observationComplete, at: at(130)) == [.enter(.healing), .snapshotAndHealAll])
        #expect(
            run.handle(.healFinished(leftovers: 0), at: at(131)) == [
                .enter(.settling), .watchSteadyState(.settling), .wakeAt(at(191)),
            ])
        #expect(
            run.handle(.steadyStateHeld("ok"), at: at(145)) == [
                .recordSteadyState(.settling, held: true, detail: "ok"), .collect,
            ])
        #expect(run.handle(.collected, at: at(146)) == [.enter(.judged), .finish])
        #expect(run.handle(.signal(2), at: at(147)).isEmpty)
    }

    @Test func anAbortWaitsForAnInjectionUnderWayBeforeItHeals() {
        var run = machine()
        for event in [RunEvent.start, .preflightFinished(.passed), .probesStarted, .steadyStateHeld("")] {
            _ = run.handle(event, at: at(1))
        }
        #expect(run.handle(.signal(15), at: at(2)) == [.recordAbort(.signal(15))])
        #expect(run.phase == .injecting)
        #expect(run.handle(.stepActive("kill"), at: at(3)) == [.enter(.healing), .snapshotAndHealAll])
    }

    @Test(arguments: [PreflightOutcome.refused("none"), .environment("no engine")])
    func aFailedPreflightEndsWithNothingTouched(outcome: PreflightOutcome) {
        var run = machine()
        _ = run.handle(.start, at: at(0))
        let actions = run.handle(.preflightFinished(outcome), at: at(1))
        #expect(actions.suffix(2) == [.enter(.judged), .finish])
        #expect(!actions.contains(.startProbes))
    }

    @Test func afterAnAbortNothingNewIsInjected() {
        var run = machine([fakeStep("one"), fakeStep("two", delay: .seconds(10))])
        for event in [RunEvent.start, .preflightFinished(.passed), .probesStarted, .steadyStateHeld("")] {
            _ = run.handle(event, at: at(1))
        }
        #expect(run.handle(.stepActive("one"), at: at(2)) == [.wakeAt(at(12))])
        #expect(run.handle(.stopConditionMet("x"), at: at(3)).contains(.snapshotAndHealAll))
        #expect(run.handle(.tick, at: at(12)).isEmpty)
    }

    @Test func theLongestDurationEndsTheRun() {
        var run = machine()
        for event in [RunEvent.start, .preflightFinished(.passed), .probesStarted, .steadyStateHeld("")] {
            _ = run.handle(event, at: at(1))
        }
        _ = run.handle(.stepActive("kill"), at: at(2))
        let actions = run.handle(.tick, at: at(601))
        #expect(actions == [.recordAbort(.maxDurationReached), .enter(.healing), .snapshotAndHealAll])
    }

    @Test func withoutASteadyStateInjectionBeginsWhenTheProbesRun() {
        var run = machine(hasSteadyState: false)
        _ = run.handle(.start, at: at(0))
        _ = run.handle(.preflightFinished(.passed), at: at(0))
        #expect(run.handle(.probesStarted, at: at(1)).contains(.inject("kill")))
    }
}

@Suite struct StepScheduleTests {
    @Test func stepsStartInFileOrderEachWhenTheOneBeforeIsConfirmed() {
        var schedule = StepSchedule([
            fakeStep("a"), fakeStep("b"), fakeStep("c", startAfter: ["a"], delay: .seconds(5)),
        ])
        #expect(schedule.advance(to: at(0)).inject == ["a"])
        #expect(schedule.advance(to: at(1)).inject.isEmpty)
        schedule.confirm("a", at: at(2))
        #expect(schedule.advance(to: at(2)).inject == ["b"])
        #expect(schedule.nextDeadline == at(7))
        #expect(schedule.advance(to: at(7)).inject == ["c"])
    }

    @Test func aStepWithoutPredecessorsStartsAtOnce() {
        var schedule = StepSchedule([fakeStep("a"), fakeStep("b", startAfter: [])])
        #expect(schedule.advance(to: at(0)).inject == ["a", "b"])
    }

    @Test func aDurationCountsFromTheConfirmedEffect() {
        var schedule = StepSchedule([fakeStep("a", duration: .seconds(30))])
        _ = schedule.advance(to: at(0))
        schedule.confirm("a", at: at(4))
        #expect(!schedule.hasNoTimedFault)
        #expect(schedule.advance(to: at(33)).heal.isEmpty)
        #expect(schedule.advance(to: at(34)).heal == ["a"])
        schedule.healed("a")
        #expect(schedule.hasNoTimedFault)
    }
}
