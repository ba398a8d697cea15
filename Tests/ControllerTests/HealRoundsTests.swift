import Basics
import Contracts
import Journal
import Testing

@testable import Controller

private func second(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

private func intent(_ id: String, on target: String) -> JournalIntent {
    JournalIntent(
        id: MutationID(id), step: "cut", kind: "fake", target: target, targetName: target, undo: .object([:]),
        timeToLive: nil, at: second(0))
}

/// Heals a list of changes against a table of how often each try fails, and gives the order of all tries.
private struct Rehearsal {
    var tries: [String] = []
    var results: [Healer.Result] = []
    var seconds = 0.0

    init(
        _ intents: [JournalIntent], failing: [String: (count: Int, code: FaultError.Code)],
        patience: Span = .seconds(30),
        lateUntil: [String: Double] = [:], recovering: [String: (count: Int, within: Double)] = [:]
    ) {
        var rounds = HealRounds(intents, startedAt: second(0), patience: patience)
        for (id, seconds) in lateUntil { rounds.expectLateEffect(of: MutationID(id), until: second(seconds)) }
        for (id, recovery) in recovering {
            rounds.expectRecovery(of: MutationID(id), within: Span(seconds: recovery.within))
        }
        var failures = failing
        var leftovers = recovering.mapValues(\.count)
        while !rounds.isOver {
            let isLast = rounds.isLast(at: second(seconds))
            while let intent = rounds.next(isLast: isLast) {
                tries.append(intent.id.text)
                let remaining = failures[intent.id.text]
                failures[intent.id.text]?.count -= 1
                let failure = remaining.flatMap { $0.count > 0 ? FaultError($0.code, "no") : nil }
                let remainder = leftovers[intent.id.text, default: 0]
                leftovers[intent.id.text] = remainder - 1
                let leftover = remainder > 0 ? Leftover(kind: "x", target: "x", description: "starting") : nil
                let result = Healer.Result(intent: intent, failure: failure, leftover: leftover, commands: [])
                _ = rounds.settle(result, isLast: isLast, at: second(seconds))
            }
            if rounds.isOver { break }
            seconds += rounds.endRound().seconds
        }
        results = rounds.results
    }
}

@Suite struct HealRoundsTests {
    @Test func whatWasMadeLastIsHealedFirst() {
        let rehearsal = Rehearsal([intent("1", on: "a"), intent("2", on: "b"), intent("3", on: "a")], failing: [:])
        #expect(rehearsal.tries == ["3", "2", "1"])
        #expect(rehearsal.seconds == 0)
    }

    /// A database fault on a node whose container an older fault has stopped.
    @Test func whatCannotBeReachedIsTriedAgainAfterTheOthers() {
        let rehearsal = Rehearsal(
            [intent("container", on: "c"), intent("database", on: "d")], failing: ["database": (1, .unreachable)])
        #expect(rehearsal.tries == ["database", "container", "database"])
        #expect(rehearsal.results.map(\.isHealed) == [true, true])
    }

    @Test func anOlderChangeOfTheSameTargetWaitsForTheNewerOne() {
        let rehearsal = Rehearsal([intent("1", on: "a"), intent("2", on: "a")], failing: ["2": (2, .timeout)])
        #expect(rehearsal.tries == ["2", "2", "2", "1"])
        #expect(rehearsal.results.map(\.intent.id.text) == ["2", "1"])
    }

    @Test func aFailureThatWillNotPassIsFinalAndKeepsNothingElseFromHealing() {
        let rehearsal = Rehearsal([intent("1", on: "a"), intent("2", on: "a")], failing: ["2": (9, .denied)])
        #expect(rehearsal.tries == ["2", "1"])
        #expect(rehearsal.results.map(\.isHealed) == [false, true])
    }

    @Test func patienceEndsWithALastTryOfEverything() {
        let rehearsal = Rehearsal(
            [intent("1", on: "a"), intent("2", on: "a")], failing: ["2": (999, .unreachable)], patience: .seconds(5))
        #expect(rehearsal.results.map(\.intent.id.text) == ["2", "1"])
        #expect(rehearsal.results.map(\.isHealed) == [false, true])
        #expect(rehearsal.seconds <= 5)
    }

    /// A request that the engine accepted before its sender died is carried out after the first heal.
    @Test func aChangeThatMayArriveLateIsLookedAtUntilItCannot() {
        let rehearsal = Rehearsal([intent("1", on: "a")], failing: [:], lateUntil: ["1": 2])
        #expect(rehearsal.tries.count > 3)
        #expect(rehearsal.seconds >= 2)
        #expect(rehearsal.results.map(\.isHealed) == [true])
        // However impatient the healer: being unable to tell is no reason to say that it is clean.
        let hasty = Rehearsal([intent("1", on: "a")], failing: [:], patience: .milliseconds(10), lateUntil: ["1": 2])
        #expect(hasty.seconds >= 2)
    }

    @Test func anOlderChangeDoesNotWaitForANewerOneThatIsOffAndMayArriveLate() {
        let rehearsal = Rehearsal([intent("1", on: "a"), intent("2", on: "a")], failing: [:], lateUntil: ["2": 2])
        #expect(rehearsal.tries.prefix(3) == ["2", "1", "2"])
        #expect(rehearsal.results.map(\.intent.id.text) == ["1", "2"])
    }

    /// A database that was told to start needs minutes, far beyond the patience for one that does not answer.
    @Test func whatTakesLongToRecoverIsWaitedForAndNothingElseIs() {
        let started = Rehearsal(
            [intent("1", on: "a")], failing: [:], patience: .seconds(5), recovering: ["1": (20, within: 300)])
        #expect(started.results.map(\.isHealed) == [true])
        #expect(started.seconds > 30)
        let stuck = Rehearsal(
            [intent("1", on: "a")], failing: [:], patience: .seconds(5), recovering: ["1": (999, within: 60)])
        #expect(stuck.results.map(\.isHealed) == [false])
        #expect(stuck.seconds <= 60 && stuck.seconds > 50)
    }
}
