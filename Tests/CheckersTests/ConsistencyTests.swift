import Basics
import Checkers
import Testing

/// S13 staleness, S15 last-write-wins and S16 log arithmetic.
@Suite struct ConsistencyTests {
    let versions = [1, 2, 3].map { Staleness.Acknowledged(version: $0, end: at(Double($0))) }

    @Test func s13AReadIsStaleSinceTheFirstNewerAcknowledgement() {
        let staleness = Staleness.of(version: 1, began: at(3.5), acknowledged: versions)
        #expect(staleness == Staleness(time: .milliseconds(1_500), versions: 2))
    }

    @Test func aReadThatMissedNothingIsFresh() {
        #expect(Staleness.of(version: 3, began: at(3.5), acknowledged: versions).versions == 0)
        // Acknowledged while the read was under way: no evidence.
        #expect(Staleness.of(version: 2, began: at(3), acknowledged: versions).time == .zero)
    }

    func write(_ value: String, _ from: Double, _ to: Double, acknowledged: Bool = true) -> Convergence.Write {
        Convergence.Write(
            key: "k", value: value, interval: InstantRange(at(from), at(to)), isAcknowledged: acknowledged)
    }

    func reads(_ values: String...) -> [Convergence.Read] {
        values.enumerated().map { Convergence.Read(key: "k", region: "r\($0)", value: $1) }
    }

    @Test func s15AFastClockLetsAnOlderWriteWin() {
        let judged = Convergence.judge(
            writes: [write("w1", 10, 10.1), write("w2", 12, 12.1)], reads: reads("w1", "w1", "w1"))
        #expect(judged.isConverged)
        #expect(judged.clobberedInRealTime.map(\.value) == ["w2"])
        #expect(judged.clobberedConcurrently.isEmpty)
    }

    @Test func theNewestWriteMayWinAndOverlappingOnesEither() {
        let inOrder = Convergence.judge(
            writes: [write("w1", 10, 10.1), write("w2", 12, 12.1)], reads: reads("w2", "w2"))
        #expect(inOrder.clobberedInRealTime.isEmpty && inOrder.clobberedConcurrently.isEmpty)
        let overlapping = Convergence.judge(
            writes: [write("w1", 10, 12), write("w2", 11, 13)], reads: reads("w1", "w1"))
        #expect(overlapping.clobberedInRealTime.isEmpty)
        #expect(overlapping.clobberedConcurrently.map(\.value) == ["w2"])
    }

    @Test func regionsThatDisagreeOrInventHaveNotConverged() {
        #expect(Convergence.judge(writes: [write("w1", 1, 2)], reads: reads("w1", "w2")).diverged == ["k"])
        #expect(Convergence.judge(writes: [write("w1", 1, 2)], reads: reads("w9", "w9")).invented == ["k"])
    }

    @Test func s16TheLogIsComparedWithWhatWasAcknowledged() {
        let audit = LogAudit(acknowledged: Array(1...10), log: [1, 2, 3, 5, 4, 6, 6, 8, 9, 10])
        #expect(audit.lost == [7])
        #expect(audit.duplicated == [6])
        #expect(audit.inversions == 1)
        #expect(audit.unexpected.isEmpty)
    }

    @Test func aCleanLogHasNoFinding() {
        let audit = LogAudit(acknowledged: Array(1...10), log: Array(1...10))
        #expect(audit.lost.isEmpty && audit.duplicated.isEmpty && audit.inversions == 0 && audit.unexpected.isEmpty)
    }

    @Test func whatWasNotPolledYetIsNotLost() {
        let audit = LogAudit(acknowledged: Array(1...10), log: [1, 2, 4, 5], isComplete: false)
        #expect(audit.lost == [3])
        #expect(audit.unseen == [6, 7, 8, 9, 10])
        #expect(LogAudit(acknowledged: [1], log: [1, 2]).unexpected == [2])
    }
}
