package import Basics
package import Contracts
package import Journal

/// Heals journalled changes, last in first out, and reads back that nothing is left.
///
/// Used by the run itself, by `squall heal` and by whoever watches a run that died: it needs the records alone.
package struct Healer: Sendable {
    /// How one change ended.
    package struct Result: Sendable {
        package var intent: JournalIntent
        /// nil: healed and verified.
        package var failure: FaultError?
        package var leftover: Leftover?
        package var commands: [String]

        package var isHealed: Bool { failure == nil && leftover == nil }

        /// What counts as left over: a change that could not be healed is one, whether or not anybody could look.
        package var remaining: Leftover? {
            if let leftover { return leftover }
            return failure.map {
                Leftover(
                    kind: intent.kind, target: intent.targetName, description: "not healed: \($0)", commands: commands)
            }
        }
    }

    private let registry: Registry
    private let context: SystemContext
    /// An engine that is restarting gets this long to come back.
    private let patience: Span
    private let awaitsRecovery: Bool

    /// - Parameter awaitsRecovery: whether a system that takes minutes to show a heal that it accepted is waited for; else
    ///   it is a leftover after `patience`.
    package init(
        registry: Registry, context: SystemContext, patience: Span = .seconds(30), awaitsRecovery: Bool = true
    ) {
        self.registry = registry
        self.context = context
        self.patience = patience
        self.awaitsRecovery = awaitsRecovery
    }

    /// Heals all, newest first, and goes on after a failure: one target out of reach must not leave the others faulty.
    ///
    /// Works in rounds. What cannot be healed yet is tried again in the next one, so that a database behind a stopped
    /// container is healed once the container runs; an older change of the same target waits for the newer one.
    ///
    /// - Parameter unconfirmed: changes whose injection nobody saw succeed. They are healed at once and looked at again
    ///   until they can no longer arrive late.
    package func heal(
        _ intents: [JournalIntent], unconfirmed: Set<MutationID> = [],
        append: (JournalRecord) async throws(JournalError) -> Void
    ) async throws(JournalError) -> [Result] {
        let start = context.time.now
        var rounds = HealRounds(intents, startedAt: start, patience: patience)
        for intent in intents {
            let (late, recovery) = delays(of: intent)
            rounds.expectRecovery(of: intent.id, within: awaitsRecovery ? recovery : min(recovery, patience))
            if unconfirmed.contains(intent.id) { rounds.expectLateEffect(of: intent.id, until: start + late) }
        }
        while true {
            let isLast = rounds.isLast(at: context.time.now)
            while let intent = rounds.next(isLast: isLast) {
                if rounds.isFirstTry(intent) {
                    try await append(.healing(intent.id, at: context.time.now))
                    transition(intent, .healing)
                }
                let result = rounds.inOrder(await heal(intent))
                guard rounds.settle(result, isLast: isLast, at: context.time.now) else { continue }
                try await conclude(result, append)
            }
            if rounds.isOver { return rounds.results }
            if await !wait(rounds.endRound()) { rounds.giveUp() }
        }
    }

    private func conclude(
        _ result: Result, _ append: (JournalRecord) async throws(JournalError) -> Void
    ) async throws(JournalError) {
        let intent = result.intent
        if result.isHealed {
            try await append(.healed(intent.id, at: context.time.now))
            transition(intent, .healed)
        } else {
            let reason = result.failure.map { "\($0)" } ?? result.leftover?.description ?? "unknown"
            try await append(.healFailed(intent.id, reason: reason, at: context.time.now))
            transition(intent, .healFailed, detail: reason)
        }
    }

    /// The same when there is no journal to write: a disk that is full must not keep a fault alive.
    package func healWithoutJournal(
        _ intents: [JournalIntent], unconfirmed: Set<MutationID> = []
    ) async -> [Result] {
        do throws(JournalError) {
            return try await heal(intents, unconfirmed: unconfirmed) { _ throws(JournalError) in }
        } catch {
            return []
        }
    }

    /// Reads the real state behind each record and changes nothing.
    package func leftovers(_ intents: [JournalIntent]) async -> [Leftover] {
        var found: [Leftover] = []
        for intent in intents {
            guard let type = registry.mutation(intent.kind) else {
                found.append(unknownKind(intent))
                continue
            }
            do throws(FaultError) {
                if let leftover = try await leftover(type, intent) { found.append(leftover) }
            } catch {
                let text = "its state could not be read: \(error)"
                found.append(Leftover(kind: intent.kind, target: intent.target, description: text))
            }
        }
        return found
    }

    /// One try.
    private func heal(_ intent: JournalIntent) async -> Result {
        guard let type = registry.mutation(intent.kind) else {
            return Result(intent: intent, failure: nil, leftover: unknownKind(intent), commands: [])
        }
        do throws(FaultError) {
            let leftover = try await healOnce(type, intent)
            return Result(intent: intent, failure: nil, leftover: leftover, commands: leftover?.commands ?? [])
        } catch {
            return Result(intent: intent, failure: error, leftover: nil, commands: commands(type, intent))
        }
    }

    /// False when the task was cancelled.
    private func wait(_ pause: Span) async -> Bool { (try? await context.time.sleep(for: pause)) != nil }

    private func healOnce<Change: Mutation>(
        _ type: Change.Type, _ intent: JournalIntent
    ) async throws(FaultError) -> Leftover? {
        let undo = try decode(type, intent)
        try await Change.heal(undo, in: context)
        return try await Change.leftover(of: undo, in: context)
    }

    /// How long a change may still arrive, and how long its heal may take to show.
    private func delays(of intent: JournalIntent) -> (late: Span, recovery: Span) {
        guard let type = registry.mutation(intent.kind) else { return (.zero, .zero) }
        return delays(type, intent)
    }

    private func delays<Change: Mutation>(_ type: Change.Type, _ intent: JournalIntent) -> (late: Span, recovery: Span)
    {
        guard let undo = try? decode(type, intent) else { return (.zero, .zero) }
        return (Change.lateEffect(of: undo), Change.recovery(of: undo))
    }

    private func leftover<Change: Mutation>(
        _ type: Change.Type, _ intent: JournalIntent
    ) async throws(FaultError) -> Leftover? {
        try await Change.leftover(of: try decode(type, intent), in: context)
    }

    private func commands<Change: Mutation>(_ type: Change.Type, _ intent: JournalIntent) -> [String] {
        do throws(FaultError) {
            return Change.manualHeal(try decode(type, intent))
        } catch {
            return []
        }
    }

    private func decode<Change: Mutation>(_ type: Change.Type, _ intent: JournalIntent) throws(FaultError)
        -> Change.Undo
    {
        do {
            return try intent.undo.decode(as: Change.Undo.self)
        } catch {
            throw FaultError(.unexpected, "the undo of \(intent.kind) on \(intent.target) cannot be read: \(error)")
        }
    }

    private func unknownKind(_ intent: JournalIntent) -> Leftover {
        Leftover(
            kind: intent.kind, target: intent.target,
            description: "this squall does not know '\(intent.kind)'; heal with the version that wrote the journal")
    }

    /// Changes that are no fault of a step (a ledger's schema) are not shown as faults.
    private func transition(_ intent: JournalIntent, _ stage: FaultStage, detail: String = "") {
        guard !intent.step.isEmpty else { return }
        context.record(
            .fault(
                FaultTransition(
                    id: intent.id.text, step: Label(intent.step), kind: Label(intent.kind),
                    target: Label(intent.targetName),
                    stage: stage, at: context.time.now, detail: detail)))
    }
}
