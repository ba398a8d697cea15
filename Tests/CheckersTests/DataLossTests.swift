import Basics
import Checkers
import Contracts
import Testing

/// S4, S5, S7 to S9 and the arithmetic of R1 and R4.
@Suite struct DataLossTests {
    let none = DataLoss()

    /// Acknowledged 1 to `last` by pg-1, one each 10 ms from 1.0; the fault after that.
    func ledger(_ last: Int64) -> Scenario {
        var scenario = Scenario()
        scenario.writes(1...last, from: 1)
        scenario.fault(1 + Double(last) * 0.010)
        return scenario
    }

    @Test func s4ALostSuffixIsCountedAndNoHole() {
        var scenario = ledger(187)
        scenario.readBack([1...150])
        let result = scenario.judged(none)
        #expect(result.verdict == .fail)
        #expect(result.measured == 37)
        #expect(result.bounds(are: 37, 37))
        #expect(result.samples == 187)
        #expect(result.part("holes pg-1") == 0)
        #expect(result.part("lost-before pg-1") == 37)
        #expect(result.part("lost-divergent pg-1") == 0)
        // The last safe write ended at 2.491, the last acknowledgement at 2.861.
        #expect(isClose(result.part("rpo-time"), 0.370))
        #expect(isClose(result.part("loss-span pg-1"), 0.361))
        #expect(result.exceptions.count == 37)
        #expect(result.exceptions[0] == "lost 151: acknowledged by pg-1 at 1.501s of the run")
    }

    @Test func s5WritesWithoutAnAnswerAreNeverCountedAsLost() {
        var scenario = Scenario()
        scenario.writes(1...100, from: 1)
        scenario.writes(101...110, from: 2, outcome: .unknown)
        scenario.fault(2)
        scenario.readBack([1...100, 101...101, 105...105])
        let result = scenario.judged(none)
        #expect(result.verdict == .pass)
        #expect(result.bounds(are: 0, 8))
        #expect(result.part("recovered") == 2)
        #expect(result.part("unresolved") == 8)
        #expect(scenario.judged(DataLoss(unknown: .count)).verdict == .inconclusive)
        #expect(scenario.judged(DataLoss(maxLostWrites: 8, unknown: .count)).verdict == .pass)
    }

    @Test func s7AFailedWriteThatIsThereIsResurrected() {
        var scenario = ledger(100)
        scenario.write(101, 3, 3.001, outcome: .failed, reason: "25006")
        scenario.readBack([1...101])
        let result = scenario.judged(none)
        #expect(result.verdict == .fail)
        #expect(result.part("resurrected") == 1)
        #expect(result.exceptions == ["resurrected 101: failed with 25006, and there"])
    }

    @Test func s8AValueThatIsThereTwiceIsDuplicated() {
        var scenario = ledger(100)
        scenario.readBack([1...100], duplicated: [42])
        let result = scenario.judged(none)
        #expect(result.verdict == .fail)
        #expect(result.part("duplicated") == 1)
        #expect(result.exceptions == ["duplicated 42"])
    }

    @Test func s9ALossInTheMiddleIsAHole() {
        var scenario = ledger(100)
        scenario.readBack([1...49, 51...100])
        let result = scenario.judged(none)
        #expect(result.verdict == .fail)
        #expect(result.measured == 1)
        #expect(result.part("holes pg-1") == 1)
    }

    @Test func aSequenceThatNobodyWroteIsUnexpected() {
        var scenario = ledger(100)
        scenario.readBack([1...100, 205...206])
        let result = scenario.judged(none)
        #expect(result.verdict == .fail)
        #expect(result.part("unexpected") == 2)
        #expect(result.exceptions == ["unexpected 205: nobody wrote it", "unexpected 206: nobody wrote it"])
    }

    @Test func r1LossIsSplitBeforeAndAfterTheOtherSideAcknowledged() {
        var scenario = Scenario()
        scenario.writes(1...150, from: 1)
        scenario.writes(151...187, from: 2.5)
        scenario.fault(2.87, step: "promote", kind: "postgres.promote", target: "pg-2", evidence: "timeline 2")
        // Both go on: 20 more on the old side are doomed, 30 on the new side stay.
        scenario.writes(188...207, from: 3.0, node: "pg-1")
        scenario.writes(208...237, from: 2.9, node: "pg-2")
        scenario.readBack([1...150, 208...237])
        scenario.readBack([1...207], node: "pg-1", authoritative: false)
        let result = scenario.judged(none)
        #expect(result.measured == 57)
        #expect(result.part("lost-before pg-1") == 37)
        #expect(result.part("lost-divergent pg-1") == 20)
        #expect(result.part("only on pg-1") == 57)
        #expect(result.part("missing on pg-1") == 30)
    }

    @Test func r4AnAcknowledgementWithAWarningIsNoPromise() {
        var scenario = ledger(100)
        scenario.write(101, 3, 3.001, outcome: .unknown, reason: "warned-ack")
        scenario.readBack([1...100])
        let result = scenario.judged(none)
        #expect(result.verdict == .pass)
        #expect(result.measured == 0)
        #expect(result.part("warned-ack-lost") == 1)
    }

    @Test func r12OneBitOfTheHistoryChangesTheVerdict() {
        var kept = ledger(187)
        kept.readBack([1...187])
        #expect(kept.judged(none).verdict == .pass)
        var oneGone = ledger(187)
        oneGone.readBack([1...186])
        #expect(oneGone.judged(none).verdict == .fail)
        var oneFailed = ledger(186)
        oneFailed.write(187, 2.86, 2.861, outcome: .failed)
        oneFailed.readBack([1...187])
        #expect(oneFailed.judged(none).verdict == .fail)
        var unread = ledger(187)
        unread.readBack([1...187], authoritative: false)
        #expect(unread.judged(none).verdict == .inconclusive)
    }

    @Test func theLimitOfTimeIsJudgedWithItsBounds() {
        var scenario = ledger(187)
        scenario.readBack([1...150])
        // Lower: from the end of the first lost write to the start of the last acknowledged one.
        #expect(scenario.judged(DataLoss(maxLostWrites: 40, maxTime: .milliseconds(358))).verdict == .fail)
        #expect(scenario.judged(DataLoss(maxLostWrites: 40, maxTime: .milliseconds(365))).verdict == .inconclusive)
        #expect(scenario.judged(DataLoss(maxLostWrites: 40, maxTime: .milliseconds(371))).verdict == .pass)
    }

    @Test func aFailbackIsNoHole() {
        var scenario = Scenario()
        scenario.writes(1...100, from: 1)
        scenario.fault(2)
        scenario.writes(101...200, from: 10, node: "pg-2")
        scenario.writes(201...300, from: 20)
        scenario.readBack([1...90, 101...300])
        let result = scenario.judged(none)
        #expect(result.measured == 10)
        #expect(result.part("holes pg-1") == 0)
        #expect(result.part("lost-before pg-1") == 10)
    }

    @Test func withoutTheNodesNameHolesAreNotGuessed() {
        var scenario = Scenario()
        scenario.writes(1...100, from: 1, node: .none)
        scenario.fault(2)
        scenario.writes(101...200, from: 2.5, node: .none)
        scenario.readBack([1...90, 101...200])
        let result = scenario.judged(none)
        #expect(result.measured == 10)
        #expect(result.parts.contains { $0.name == "holes unknown node" && $0.value == nil })
    }

    @Test(arguments: ["no read", "failed read", "too early", "nothing before the fault", "unproven"])
    func whatIsMissingMakesItInconclusive(_ what: String) {
        var scenario = Scenario()
        if what == "unproven" { scenario.unprovenFault(3) } else { scenario.fault(what.hasPrefix("nothing") ? 0.5 : 3) }
        scenario.writes(1...100, from: 1)
        switch what {
        case "no read": scenario.readBack([1...100], stage: .evidence)
        case "failed read": scenario.readBack([], failure: "connection refused")
        case "too early": scenario.readBack([1...50], at: 1.5)
        default: scenario.readBack([1...100])
        }
        let result = scenario.judged(none)
        #expect(result.verdict == .inconclusive)
        #expect(!result.reason.isEmpty)
        #expect(what != "unproven" || result.measured == 0)
    }

    @Test func r11WithoutAFaultNothingIsLost() {
        var scenario = Scenario()
        scenario.writes(1...1_000, from: 1)
        scenario.readBack([1...1_000])
        let result = scenario.judged(none)
        #expect(result.verdict == .pass)
        #expect(result.measured == 0)
    }

    @Test func theListOfLostWritesIsBounded() {
        var scenario = ledger(5_000)
        scenario.readBack([1...10])
        let result = scenario.judged(none)
        #expect(result.measured == 4_990)
        #expect(result.exceptions.count == 100)
    }
}
