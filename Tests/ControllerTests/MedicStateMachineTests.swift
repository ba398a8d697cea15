import Basics
import Contracts
import Journal
import Testing

@testable import Controller

private func second(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

private func change(
    _ progress: OpenChange.Progress, _ id: String = "1", timeToLive: Span? = .seconds(10), at: Int64 = 0
) -> OpenChange {
    let intent = JournalIntent(
        id: MutationID(id), step: "cut", kind: "fake", target: "t", targetName: "t", undo: .object([:]),
        timeToLive: timeToLive, at: second(at))
    return OpenChange(intent: intent, progress: progress)
}

@Suite struct MedicStateMachineTests {
    @Test func theControllersDeathMeansTakeOverWhateverTheJournalSaid() {
        for progress in [OpenChange.Progress.intended, .active(since: second(1)), .relieved, .healFailed] {
            var machine = MedicStateMachine()
            _ = machine.handle(.journalRead([change(progress)]), at: second(1))
            #expect(machine.handle(.controllerEnded, at: second(2)) == [.takeOver])
            #expect(machine.handle(.controllerEnded, at: second(2)) == [])
            #expect(machine.handle(.takenOver, at: second(3)) == [.finish])
        }
    }

    @Test func aDismissedMedicDoesNothing() {
        var machine = MedicStateMachine()
        _ = machine.handle(.journalRead([change(.active(since: second(1)))]), at: second(1))
        #expect(machine.handle(.dismissed, at: second(2)) == [.finish])
        #expect(machine.handle(.controllerEnded, at: second(2)) == [])
    }

    /// When a change under a live controller is taken for abandoned; nil: never.
    @Test(arguments: [
        // Ten seconds from the proof of its effect, and the grace of a busy controller.
        (OpenChange.Progress.active(since: second(3)), Int64?(15)),
        // An injection may still be waiting for its effect.
        (.intended, 70),
        // A heal that began may be retrying.
        (.healing(since: second(12)), 72),
        (.healFailed, nil),
        (.relieved, nil),
    ])
    func aChangeIsAbandonedOnlyWellAfterItsTime(progress: OpenChange.Progress, deadline: Int64?) {
        var machine = MedicStateMachine()
        let actions = machine.handle(.journalRead([change(progress)]), at: second(12))
        guard let deadline else {
            #expect(actions == [])
            return
        }
        #expect(actions == [.wakeAt(second(deadline))])
        #expect(machine.overdue(at: second(deadline - 1)).isEmpty)
        #expect(machine.overdue(at: second(deadline)).map(\.id.text) == ["1"])
    }

    @Test func aChangeWithoutATimeOfItsOwnIsTheControllersUntilItDies() {
        var machine = MedicStateMachine()
        let change = change(.active(since: second(1)), timeToLive: nil)
        #expect(machine.handle(.journalRead([change]), at: second(9_999)) == [])
    }

    @Test func anOverdueChangeIsRelievedOnceAndTriedAgainWhenThatFailed() {
        var machine = MedicStateMachine()
        let overdue = change(.active(since: second(1)))
        #expect(machine.handle(.journalRead([overdue]), at: second(13)) == [.relieve])
        #expect(machine.handle(.tick, at: second(13)) == [])
        #expect(machine.handle(.reliefFinished([MutationID("1")]), at: second(14)) == [.readJournal])
        // Still active in the journal: it was not healed, and is tried again in five seconds.
        #expect(machine.handle(.journalRead([overdue]), at: second(14)) == [.wakeAt(second(19))])
        #expect(machine.handle(.tick, at: second(19)) == [.readJournal])
        #expect(machine.handle(.journalRead([overdue]), at: second(19)) == [.relieve])
        _ = machine.handle(.reliefFinished([MutationID("1")]), at: second(20))
        #expect(machine.handle(.journalRead([change(.relieved)]), at: second(20)) == [])
    }

    @Test func aDeathDuringAReliefIsDealtWithAfterIt() {
        var machine = MedicStateMachine()
        _ = machine.handle(.journalRead([change(.active(since: second(1)))]), at: second(13))
        #expect(machine.handle(.controllerEnded, at: second(14)) == [])
        #expect(machine.handle(.reliefFinished([]), at: second(15)) == [.takeOver])
    }
}
