internal import Basics
internal import Contracts
internal import Journal

/// The order in which changes are healed and tried again; decides, touches nothing.
struct HealRounds {
    private(set) var results: [Healer.Result] = []
    private let deadline: Instant
    private let start: Instant
    private var pause = Span.milliseconds(100)
    /// Newest first.
    private var waiting: [JournalIntent]
    /// Not healed in this round; tried again in the next.
    private var postponed: [JournalIntent] = []
    /// Targets on which something newer could not be healed in this round.
    private var blocked: Set<String> = []
    private var tried: Set<MutationID> = []
    /// Until when a change may still arrive, however clean its target looks.
    private var lateUntil: [MutationID: Instant] = [:]
    /// Until when a system that accepted a heal may still show the change.
    private var recoveredBy: [MutationID: Instant] = [:]
    /// Targets of which a newer change could not be healed for good.
    private var failed: Set<String> = []
    private var hasGivenUp = false

    init(_ intents: [JournalIntent], startedAt start: Instant, patience: Span) {
        waiting = intents.reversed()
        self.start = start
        deadline = start + patience
    }

    mutating func expectLateEffect(of id: MutationID, until instant: Instant) { lateUntil[id] = instant }

    /// A heal that left something is repeated this long: some systems take a moment, or minutes, to show what they accepted.
    mutating func expectRecovery(of id: MutationID, within span: Span) { recoveredBy[id] = start + span }

    var isOver: Bool { waiting.isEmpty && postponed.isEmpty }

    /// What is tried in this round is final: no time is left for another.
    func isLast(at now: Instant) -> Bool {
        hasGivenUp
            || (now + pause >= deadline && !lateUntil.values.contains { now < $0 }
                && !recoveredBy.values.contains { now + pause < $0 })
    }

    /// The next change of this round; nil when the round is over.
    mutating func next(isLast: Bool) -> JournalIntent? {
        while !waiting.isEmpty {
            let intent = waiting.removeFirst()
            // Last in, first out holds for each target: what is newer there comes off before. What is off, and only
            // looked at again because it may arrive late, keeps nothing waiting.
            guard !isLast, blocked.contains(intent.target) else { return intent }
            postponed.append(intent)
        }
        return nil
    }

    /// True once for each change.
    mutating func isFirstTry(_ intent: JournalIntent) -> Bool { tried.insert(intent.id).inserted }

    /// What looks clean under a newer change that is still there may only be hidden by it: it is not healed yet.
    func inOrder(_ result: Healer.Result) -> Healer.Result {
        guard result.isHealed, failed.contains(result.intent.target) else { return result }
        var hidden = result
        hidden.failure = FaultError(
            .notApplicable, "a newer change of \(result.intent.targetName) could not be healed, and may hide this one")
        return hidden
    }

    /// Takes how a try went; false when the change is tried again.
    mutating func settle(_ result: Healer.Result, isLast: Bool, at now: Instant) -> Bool {
        let mayPass: Bool
        if let failure = result.failure {
            mayPass = failure.code == .unreachable || failure.code == .timeout
        } else {
            let isLate = lateUntil[result.intent.id].map { now < $0 } ?? false
            mayPass = isLate || (result.leftover != nil && now + pause < recoveredBy[result.intent.id] ?? start)
        }
        if mayPass, !isLast {
            postponed.append(result.intent)
            if !result.isHealed { blocked.insert(result.intent.target) }
            return false
        }
        lateUntil[result.intent.id] = nil
        recoveredBy[result.intent.id] = nil
        if !result.isHealed { failed.insert(result.intent.target) }
        results.append(result)
        return true
    }

    /// Ends the round and says how long to wait before the next.
    mutating func endRound() -> Span {
        defer { pause = min(pause * 2, .seconds(2)) }
        waiting = postponed
        postponed = []
        blocked = []
        return pause
    }

    /// The next round is the last one.
    mutating func giveUp() { hasGivenUp = true }
}
