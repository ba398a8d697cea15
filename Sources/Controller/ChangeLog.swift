package import Basics
package import Contracts
package import Journal
internal import Synchronization

/// The run's open changes: every one is in the journal before the system is touched.
package final class ChangeLog: Sendable {
    private let journal: JournalWriter
    private let time: any TimeSource
    private let state = Mutex((open: [JournalIntent](), next: 1))

    package init(journal: JournalWriter, time: any TimeSource) {
        self.journal = journal
        self.time = time
    }

    /// Writes the intent with its undo to disk; the caller may change the system when this has returned.
    package func begin(
        step: String, kind: String, target: String, undo: JSONValue, timeToLive: Span? = nil
    ) async throws(FaultError) -> JournalIntent {
        let id = state.withLock { state in
            defer { state.next += 1 }
            return MutationID("\(state.next)")
        }
        let intent = JournalIntent(
            id: id, step: step, kind: kind, target: target, undo: undo, timeToLive: timeToLive, at: time.now)
        do {
            try await journal.append(.intent(intent))
        } catch {
            throw FaultError(.denied, "\(error)", advice: "free space under runs/, then run again")
        }
        state.withLock { $0.open.append(intent) }
        return intent
    }

    package func append(_ record: JournalRecord) async throws(JournalError) {
        try await journal.append(record)
        if case .healed(let id, _) = record { state.withLock { $0.open.removeAll { $0.id == id } } }
    }

    /// Changes not yet healed, oldest first.
    package var open: [JournalIntent] { state.withLock { $0.open } }
}
