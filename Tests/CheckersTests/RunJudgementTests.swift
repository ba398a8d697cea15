import Basics
import Checkers
import Contracts
import Experiment
import Testing

/// `recovery`, and the verdict of the whole run.
@Suite struct RunJudgementTests {
    let steady = SteadyState(title: "one primary", holdFor: .seconds(10), expectations: [])

    func recovered(healed: Double = 60, steadyAt: Double = 80, held: Bool = true) -> Scenario {
        var scenario = Scenario()
        scenario.fault(5, 5.1, healed: healed)
        scenario.history.append(.phase(.healing, at: at(50)))
        scenario.history.append(.steadyState(phase: .settling, held: held, at: at(steadyAt), detail: "two primaries"))
        return scenario
    }

    func judged(_ scenario: Scenario, within seconds: Double) -> CriterionResult {
        Recovery(within: Span(seconds: seconds)).check(
            scenario.history, CheckSubject(name: "recovery", probe: .none, steadyState: steady))
    }

    @Test(arguments: [(65.0, Verdict.pass), (54.8, .fail), (60, .inconclusive)])
    func recoveryEndsWhenHealedAndSteady(limit: Double, verdict: Verdict) {
        let result = judged(recovered(), within: limit)
        #expect(result.verdict == verdict)
        // Healed at 60, steady since 70 at the latest; the effect began between 5.0 and 5.1.
        #expect(result.bounds(are: 54.9, 65))
    }

    @Test func aSteadyStateThatDoesNotReturnFails() {
        #expect(judged(recovered(held: false), within: 60).verdict == .fail)
        #expect(judged(recovered(held: false), within: 300).verdict == .inconclusive)
    }

    @Test func whatWasNeverHealedOrJudgedIsInconclusive() {
        var unhealed = Scenario()
        unhealed.fault(5)
        unhealed.history.append(.steadyState(phase: .settling, held: true, at: at(80), detail: ""))
        #expect(judged(unhealed, within: 300).verdict == .inconclusive)
        var unsettled = Scenario()
        unsettled.fault(5, healed: 60)
        #expect(judged(unsettled, within: 300).verdict == .inconclusive)
    }

    // MARK: The run

    func criterion(_ verdict: Verdict, _ name: String = "rto") -> CriterionResult {
        CriterionResult(
            name: name, kind: name, probe: "", limit: "", unit: "s", samples: 1, verdict: verdict, reason: "why")
    }

    @Test func aRunPassesWhenEverythingWasShown() {
        let scenario = recovered()
        let judgement = RunJudgement.judge(
            scenario.history, criteria: [criterion(.pass), criterion(.pass, "rpo")], steps: ["kill"],
            hasSteadyState: true)
        #expect(judgement.verdict == .pass)
        #expect(judgement.reason == "all 2 criteria hold")
    }

    @Test func s19NoRunWithAnUnprovenFaultPasses() {
        for stage in [FaultStage.unproven, .refused, .injecting, .healFailed] {
            var scenario = Scenario()
            scenario.unprovenFault(5, stage: stage)
            let judgement = RunJudgement.judge(scenario.history, criteria: [criterion(.pass)])
            #expect(judgement.verdict == .inconclusive, "\(stage)")
            #expect(judgement.reason.contains("the container still runs") || stage == .injecting)
            #expect(RunJudgement.judge(scenario.history, criteria: [criterion(.fail)]).verdict == .fail)
        }
    }

    @Test func aFaultWithEffectThatCouldNotBeHealedIsNoPass() {
        var scenario = recovered()
        scenario.history.append(
            .fault(
                FaultTransition(
                    id: "f1", step: "kill", kind: "container.kill", target: "pg-1", stage: .healFailed, at: at(90),
                    detail: "engine gone")))
        #expect(RunJudgement.judge(scenario.history, criteria: [criterion(.pass)]).verdict == .inconclusive)
    }

    @Test func aFaultThatWasNeverHealedIsNoPass() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.history.append(.steadyState(phase: .settling, held: true, at: at(80), detail: ""))
        let judgement = RunJudgement.judge(scenario.history, criteria: [criterion(.pass)])
        #expect(judgement.verdict == .inconclusive)
        #expect(judgement.reason.contains("never verified as healed"))
    }

    @Test func aStepThatNeverBeganIsNoPass() {
        let judgement = RunJudgement.judge(recovered().history, criteria: [criterion(.pass)], steps: ["kill", "cut"])
        #expect(judgement.verdict == .inconclusive)
        #expect(judgement.reason == "step 'cut' never injected its fault")
    }

    @Test(arguments: [
        AbortReason.signal(2), .stopCondition("success < 1%"), .steadyStateNotReached("no"), .injectionFailed("no"),
        .maxDurationReached, .refused("protected"), .environment("disk full"),
        .controllerDied("gone"),
    ])
    func anAbortedRunNeverPasses(reason: AbortReason) {
        var scenario = recovered()
        scenario.history.append(.aborted(reason, at: at(20)))
        #expect(RunJudgement.judge(scenario.history, criteria: [criterion(.pass)]).verdict == .inconclusive)
    }

    @Test func theSteadyStateIsPartOfTheVerdict() {
        let lost = RunJudgement.judge(recovered(held: false).history, criteria: [criterion(.pass)])
        #expect(lost.verdict == .fail)
        var scenario = Scenario()
        scenario.fault(5, healed: 60)
        let unjudged = RunJudgement.judge(scenario.history, criteria: [criterion(.pass)], hasSteadyState: true)
        #expect(unjudged.verdict == .inconclusive)
    }

    @Test func withoutCriteriaTheSteadyStateAloneDecides() {
        let judgement = RunJudgement.judge(recovered().history, criteria: [])
        #expect(judgement.verdict == .pass)
        #expect(judgement.untested.contains { $0.contains("no criteria") })
        var scenario = Scenario()
        scenario.fault(5, healed: 60)
        #expect(RunJudgement.judge(scenario.history, criteria: []).verdict == .inconclusive)
    }

    @Test func oneInconclusiveCriterionIsEnough() {
        let judgement = RunJudgement.judge(
            recovered().history, criteria: [criterion(.pass), criterion(.inconclusive, "rpo")])
        #expect(judgement.verdict == .inconclusive)
        #expect(judgement.reason == "rpo: why")
    }

    @Test func stallsAreToldNotHidden() {
        var scenario = recovered()
        scenario.history.append(.stall(ProberStall(from: at(20), to: at(23))))
        let judgement = RunJudgement.judge(scenario.history, criteria: [criterion(.pass)])
        #expect(judgement.verdict == .pass)
        #expect(judgement.untested.contains { $0.contains("stood still for 3s") })
    }
}
