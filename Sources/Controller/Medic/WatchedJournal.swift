package import Contracts
package import Journal

/// The controller's end of its medic.
package protocol MedicLink: Sendable {
    /// Returns when the medic watches this journal; throws when none can be started.
    func ready() async throws(FaultError)
    /// Something was appended: the medic looks for the next deadline.
    func journalChanged()
}

/// A journal with a medic behind it: no intent is written before somebody else could undo it.
package struct WatchedJournal: JournalSink {
    private let journal: any JournalSink
    private let medic: any MedicLink

    package init(_ journal: any JournalSink, medic: any MedicLink) {
        self.journal = journal
        self.medic = medic
    }

    package func append(_ record: JournalRecord) async throws(JournalError) {
        if case .intent = record { try await awaitMedic() }
        try await journal.append(record)
        medic.journalChanged()
    }

    private func awaitMedic() async throws(JournalError) {
        do throws(FaultError) {
            try await medic.ready()
        } catch {
            throw JournalError(.unwatched, "nothing is injected without a medic: \(error)")
        }
    }

    package func takeTurn() async throws(JournalError) -> Bool { try await journal.takeTurn() }

    package func endTurn() async { await journal.endTurn() }
}
