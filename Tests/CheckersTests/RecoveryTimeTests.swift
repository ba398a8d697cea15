import Basics
import Checkers
import Contracts
import Experiment
import Testing

/// S1 to S3, S18 and S19 of the ground truth, and what the figure must refuse to say.
@Suite struct RecoveryTimeTests {
    let thirty = RecoveryTime(limit: .seconds(30))

    @Test func s1TheOutageIsKnownToOneIntervalPlusOneOperation() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 40, down: [(5, 12.345)])
        let result = scenario.judged(thirty)
        #expect(result.verdict == .pass)
        #expect(result.bounds(are: 7.340, 7.351))
        #expect(isClose(result.measured, 7.351))
        #expect(isClose(result.part("rto-first"), 7.351))
        #expect(result.samples == 3_500)
    }

    @Test func s2AnOpenLoopIsNotSlowedByHangingOperations() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 40, down: [(5, 12.345)], failure: .hangs(.seconds(1)))
        #expect(scenario.judged(thirty).bounds(are: 7.340, 7.351))
    }

    @Test func s2AClosedLoopReportsUpToOneTimeoutMore() {
        var scenario = Scenario()
        scenario.fault(5)
        var now = 0.0
        var sequence: Int64 = 0
        while now < 40 {
            sequence += 1
            let hangs = 5 <= now && now < 12.345
            scenario.write(sequence, now, now + (hangs ? 1 : 0.001), outcome: hangs ? .unknown : .ok)
            now += hangs ? 1 : 0.010
        }
        let result = scenario.judged(thirty)
        #expect(result.lower ?? 0 <= 7.345)
        #expect(result.upper ?? 0 > 7.9 && result.upper ?? 9 <= 8.36)
    }

    @Test func s3AFlapIsShownBesideTheSustainedFigure() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 40, down: [(5, 8), (8.2, 12)])
        let result = scenario.judged(thirty)
        #expect(result.bounds(are: 6.990, 7.001))
        #expect(isClose(result.part("rto-first"), 3.001))
        #expect(isClose(result.part("outage"), 6.8, within: 0.011))
    }

    @Test(arguments: [(7.339, Verdict.fail), (7.345, .inconclusive), (7.351, .pass), (7.340, .inconclusive)])
    func theLimitDecidesOnlyOutsideTheBounds(limit: Double, verdict: Verdict) {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 40, down: [(5, 12.345)])
        #expect(scenario.judged(RecoveryTime(limit: Span(seconds: limit))).verdict == verdict)
    }

    @Test func theIntervalOfTheFaultWidensTheBounds() {
        var scenario = Scenario()
        scenario.fault(5, 5.2)
        scenario.openLoop(until: 40, down: [(5.1, 12.345)])
        #expect(scenario.judged(thirty).bounds(are: 7.140, 7.351))
    }

    @Test func aServiceThatNeverCameBackFailsWithALowerBound() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 20, down: [(5, 100)])
        let result = scenario.judged(thirty)
        #expect(result.verdict == .fail)
        #expect(result.measured == nil && result.upper == nil)
        #expect(isClose(result.lower, 14.990))
    }

    @Test func aRunCutShortCannotTellASlowServiceFromALostOne() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 20, down: [(5, 100)])
        scenario.history.append(.aborted(.signal(2), at: at(20)))
        #expect(scenario.judged(thirty).verdict == .inconclusive)
        #expect(scenario.judged(RecoveryTime(limit: .seconds(14))).verdict == .fail)
    }

    @Test func aProbeThatDiedDuringTheOutageCannotTellEither() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 20, down: [(5, 100)])
        scenario.history.append(.phase(.healing, at: at(60)))
        #expect(scenario.judged(thirty).verdict == .inconclusive)
    }

    @Test func aMethodWhoseStepsNeverInjectedIsNoRunWithoutFaults() {
        var scenario = Scenario()
        scenario.openLoop(until: 60)
        scenario.history.append(
            .run(
                RunRecord(
                    run: "r", title: "t", file: "f", seed: 1, startedAt: at(0),
                    startedAtWall: WallInstant(nanoseconds: 0), toolVersion: "1", steps: ["kill"])))
        let result = scenario.judged(thirty)
        #expect(result.verdict == .inconclusive)
        #expect(result.reason == "no fault was injected, though the method has step 'kill'")
    }

    @Test func aHoldWindowThatWasNotObservedIsInconclusive() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 20, down: [(5, 12.345)])
        let result = scenario.judged(thirty)
        #expect(result.verdict == .inconclusive)
        #expect(result.bounds(are: 7.340, 7.351))
        #expect(result.reason.contains("7.65s of the 10s"))
    }

    @Test func anOutageThatBeginsLaterIsCountedFromTheFault() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 60, down: [(25, 27)])
        let result = scenario.judged(thirty)
        #expect(result.bounds(are: 21.990, 22.001))
        #expect(isClose(result.part("t1"), 20))
    }

    @Test func whatBreaksAfterHealingBeganIsNotTheFaults() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 60, down: [(40, 42)])
        scenario.history.append(.phase(.healing, at: at(30)))
        #expect(scenario.judged(thirty).measured == 0)
    }

    @Test func singleFailuresInGoodServiceAreNoise() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 60, down: [(30, 30.015)])
        let result = scenario.judged(thirty)
        #expect(result.verdict == .pass)
        #expect(result.measured == 0)
        // Two arrivals failed: an outage from the success before them to the one after could have been there.
        #expect(isClose(result.upper, 0.031))
    }

    @Test func r11WithoutAFaultThereIsNoOutage() {
        var scenario = Scenario()
        scenario.openLoop(until: 60)
        let result = scenario.judged(RecoveryTime(limit: .seconds(1)))
        #expect(result.verdict == .pass)
        #expect(result.measured == 0)
        #expect(result.bounds(are: 0, 0.011))
    }

    @Test func aLimitBelowTheResolutionCannotPass() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 60)
        #expect(scenario.judged(RecoveryTime(limit: .milliseconds(5))).verdict == .inconclusive)
    }

    @Test func s19AFaultWithoutEffectIsInconclusive() {
        var scenario = Scenario()
        scenario.unprovenFault(5)
        scenario.openLoop(until: 60)
        let result = scenario.judged(thirty)
        #expect(result.verdict == .inconclusive)
        #expect(result.reason == "step 'kill' on pg-1 has no proven effect: the container still runs")
    }

    @Test func aProbeWithoutSamplesIsInconclusive() {
        var scenario = Scenario()
        scenario.fault(5)
        #expect(scenario.judged(thirty).verdict == .inconclusive)
        scenario.openLoop(until: 60, interval: 2)
        let sparse = scenario.judged(thirty)
        #expect(sparse.verdict == .inconclusive)
        #expect(sparse.reason.contains("10 are needed"))
    }

    @Test func s18AStallOfTheProberIsNoOutage() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 60, down: [(20, 23)], failure: .waits)
        scenario.history.append(.stall(ProberStall(from: at(20), to: at(23))))
        let result = scenario.judged(thirty)
        #expect(result.verdict == .pass)
        #expect(result.measured == 0)
        // What could have happened meanwhile is inside the bound.
        #expect(result.upper ?? 0 >= 3)
        #expect(scenario.judged(RecoveryTime(limit: .seconds(2))).verdict == .inconclusive)
    }

    /// An earlier step whose effect nobody could show, so that the run counts from the next one.
    private func afterAnEarlierOutage(until end: Double) -> Scenario {
        var scenario = Scenario()
        scenario.fault(19.95)
        scenario.openLoop(
            until: 90, interval: 1, down: [(10, end), (40, 50)], failure: .hangs(.seconds(2)))
        return scenario
    }

    @Test func anOutageThatMayHaveEndedBeforeTheFaultHidesNoLaterOne() {
        let result = afterAnEarlierOutage(until: 20).judged(thirty)
        #expect(result.bounds(are: 0, 30.051))
        #expect(result.verdict == .inconclusive)
    }

    @Test func anOutageThatIsThereWhenTheFaultComesCounts() {
        let result = afterAnEarlierOutage(until: 25).judged(thirty)
        #expect(result.bounds(are: 4.05, 5.051))
        #expect(result.verdict == .pass)
    }

    @Test func serviceMayHaveHeldWhileTheProberStoodStill() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 18, interval: 1, down: [(5, 12)])
        scenario.history.append(.stall(ProberStall(from: at(18), to: at(26))))
        scenario.openLoop(from: 26, until: 90, interval: 1, down: [(27, 35)], firstSequence: 27)
        let result = scenario.judged(RecoveryTime(limit: .seconds(20)))
        #expect(result.bounds(are: 6, 30.001))
        #expect(result.verdict == .inconclusive)
    }
}
