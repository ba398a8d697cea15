internal import Basics
package import Contracts
package import Journal

/// Heals what a dead controller left behind, from its journal alone: what the medic does at once and `squall heal` later.
package struct Takeover: Sendable {
    /// How it ended.
    package struct Outcome: Sendable {
        package var results: [Healer.Result]
        /// What is left over; empty when everything was healed and read back.
        package var leftovers: [Leftover]
        /// Nothing was open and the journal closed: the controller had finished its work.
        package var wasClosed: Bool
        /// The journal could no longer be written; the heal went on without it.
        package var journalFailure: JournalError?
    }

    private let store: any JournalStore
    private let healer: Healer
    private let context: SystemContext

    package init(store: any JournalStore, healer: Healer, context: SystemContext) {
        self.store = store
        self.healer = healer
        self.context = context
    }

    /// Takes the journal's lock, heals newest first, verifies, and closes the journal when nothing is left.
    ///
    /// - Parameter cause: why the run ended, for its history; nil when the history tells its end already.
    /// - Throws: `.locked` while somebody else holds the journal; what `read` throws for a damaged one.
    package func run(cause: AbortReason?) async throws(JournalError) -> Outcome {
        let journal = try await store.takeOver()
        let contents = try await store.read()
        if contents.isClean, contents.isClosed {
            return Outcome(results: [], leftovers: [], wasClosed: true, journalFailure: nil)
        }
        if let cause { context.record(.aborted(cause, at: context.time.now)) }
        var outcome = Outcome(results: [], leftovers: [], wasClosed: false, journalFailure: nil)
        do throws(JournalError) {
            outcome.results = try await healer.heal(contents.open, unconfirmed: contents.unconfirmed) {
                record throws(JournalError) in
                try await journal.append(record)
            }
        } catch {
            // A disk that is full must not keep a fault alive.
            outcome.journalFailure = error
            outcome.results = await healer.healWithoutJournal(contents.open, unconfirmed: contents.unconfirmed)
        }
        outcome.leftovers = outcome.results.compactMap(\.remaining)
        context.record(.cleanUp(leftovers: outcome.leftovers, at: context.time.now))
        if outcome.leftovers.isEmpty, outcome.journalFailure == nil { try await close(journal, &outcome) }
        context.record(.ended(at: context.time.now))
        return outcome
    }

    private func close(_ journal: any JournalSink, _ outcome: inout Outcome) async throws(JournalError) {
        do throws(JournalError) {
            try await journal.append(.closed(at: context.time.now))
        } catch {
            outcome.journalFailure = error
        }
    }
}
