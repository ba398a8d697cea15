internal import Basics
internal import Contracts
internal import Controller
internal import Journal
internal import Synchronization

/// A defect that is put into the tool on purpose, at one of its seams: the simulation must notice each of them.
package enum Mutant: String, Sendable, CaseIterable {
    case dropsIntent

    var registry: Registry { WorldKinds.plain }
}

/// Which defect is active, for the kinds that are wrapped.
struct MutantState: Sendable {
    let mutant: Mutant

    init(_ mutant: Mutant) {
        self.mutant = mutant
    }
}

/// The journal of a tool with a defect.
struct MutantJournal: JournalSink {
    let journal: any JournalSink
    let mutant: Mutant
    let process: SimulatedProcess

    init(_ journal: any JournalSink, _ mutant: Mutant, _ process: SimulatedProcess) {
        self.journal = journal
        self.mutant = mutant
        self.process = process
    }

    func append(_ record: JournalRecord) async throws(JournalError) {
        if case .intent = record, mutant == .dropsIntent { return }
        try await journal.append(record)
    }

    func takeTurn() async throws(JournalError) -> Bool { try await journal.takeTurn() }
    func endTurn() async { await journal.endTurn() }
}

/// The store of a tool with a defect.
struct MutantStore: JournalStore {
    let store: any JournalStore
    let mutant: Mutant
    let process: SimulatedProcess

    init(_ store: any JournalStore, _ mutant: Mutant, _ process: SimulatedProcess) {
        self.store = store
        self.mutant = mutant
        self.process = process
    }

    func read() async throws(JournalError) -> JournalContents { try await store.read() }
    func takeOver() async throws(JournalError) -> any JournalSink { try await store.takeOver() }
    func openBeside() async throws(JournalError) -> any JournalSink { try await store.openBeside() }
}
