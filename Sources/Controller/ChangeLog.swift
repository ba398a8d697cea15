package import Basics
package import Contracts
package import Journal
internal import Synchronization

/// The run's open changes: every one is in the journal before the system is touched.
package final class ChangeLog: Sendable {
    private let journal: any JournalSink
    private let time: any TimeSource
    private let state = Mutex((open: [JournalIntent](), all: [JournalIntent](), confirmed: Set<MutationID>()))
    /// Heals at work: the turn is the whole process's, so that the first to end must not give it away.
    private let heals = Mutex(0)

    package init(journal: any JournalSink, time: any TimeSource) {
        self.journal = journal
        self.time = time
    }

    /// Writes the intent with its undo to disk; the caller may change the system when this has returned.
    package func begin(
        step: String, kind: String, target: String, targetName: String, undo: JSONValue, timeToLive: Span? = nil
    ) async throws(FaultError) -> JournalIntent {
        // Numbered and remembered before it is written: a change whose record failed half-way is still looked at in the end.
        let intent = state.withLock { state in
            let id = MutationID("\(state.all.count + 1)")
            let intent = JournalIntent(
                id: id, step: step, kind: kind, target: target, targetName: targetName, undo: undo,
                timeToLive: timeToLive, at: time.now)
            state.all.append(intent)
            return intent
        }
        do {
            try await journal.append(.intent(intent))
        } catch {
            let advice = error.code == .unwatched ? "squall doctor" : "free space under runs/, then run again"
            throw FaultError(.denied, "\(error)", advice: advice)
        }
        state.withLock { $0.open.append(intent) }
        return intent
    }

    package func append(_ record: JournalRecord) async throws(JournalError) {
        // A change that was made is known to have been made, whether or not the disk takes it.
        if case .active(let id, _) = record { _ = state.withLock { $0.confirmed.insert(id) } }
        try await journal.append(record)
        if case .healed(let id, _) = record { state.withLock { $0.open.removeAll { $0.id == id } } }
    }

    /// Heals while nobody else does: a medic that took a hang for a death must have finished first.
    ///
    /// A turn that does not come within `patience`, or cannot be asked for, must not stop a heal, which may be repeated.
    func whileHavingTurn<Result>(patience: Span = .seconds(60), _ body: () async -> Result) async -> Result {
        let pause = Span.milliseconds(50)
        // Counted, not timed: a process that was stopped in between has waited for nobody.
        var tries = patience.nanoseconds / pause.nanoseconds
        heals.withLock { $0 += 1 }
        while !((try? await journal.takeTurn()) ?? true), tries > 0 {
            guard (try? await time.sleep(for: pause)) != nil else { break }
            tries -= 1
        }
        let result = await body()
        let isLast = heals.withLock { heals in
            heals -= 1
            return heals == 0
        }
        if isLast { await journal.endTurn() }
        return result
    }

    /// Every change of the run, oldest first.
    package var all: [JournalIntent] { state.withLock { $0.all } }

    /// Changes whose injection failed on the way: they may take effect after the failure was seen.
    package var unconfirmed: Set<MutationID> {
        state.withLock { state in Set(state.open.map(\.id)).subtracting(state.confirmed) }
    }

    /// Changes not yet healed, oldest first.
    package var open: [JournalIntent] { state.withLock { $0.open } }
}
