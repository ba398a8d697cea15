internal import Basics
internal import Contracts
internal import Journal
internal import Synchronization

/// The journal of a tool with a defect.
final class MutantJournal: JournalSink {
    private let journal: any JournalSink
    private let mutant: Mutant
    private let held = Mutex([JournalRecord]())

    init(_ journal: any JournalSink, _ mutant: Mutant) {
        self.journal = journal
        self.mutant = mutant
    }

    func append(_ record: JournalRecord) async throws(JournalError) {
        switch (mutant, record) {
        case (.dropsIntent, .intent(let intent)) where !intent.step.isEmpty: return
        case (.dropsHealed, .healed): return
        case (.writesIntentAfterInjection, .intent(let intent)) where !intent.step.isEmpty:
            held.withLock { $0.append(record) }
            return
        case (.recordsHealedBeforeHeal, .healing(let id, let at)):
            try await journal.append(record)
            try await journal.append(.healed(id, at: at))
            return
        case (.recordsFailedHealAsHealed, .healFailed(let id, _, let at)):
            try await journal.append(.healed(id, at: at))
            return
        default: break
        }
        let late = held.withLock { held in
            defer { held = [] }
            return held
        }
        for record in late { try await journal.append(record) }
        try await journal.append(record)
    }

    func takeTurn() async throws(JournalError) -> Bool {
        if mutant == .healsOutOfTurn { return true }
        return try await journal.takeTurn()
    }

    func endTurn() async { await journal.endTurn() }
}

/// The store of a tool with a defect.
struct MutantStore: JournalStore {
    let store: SimulatedStore
    let mutant: Mutant

    func read() async throws(JournalError) -> JournalContents {
        let contents = try await store.read()
        let records = store.disk.records
        let altered: [JournalRecord]
        switch mutant {
        case .replayTakesRelievedForHealed:
            altered = records.map { record in
                if case .relieved(let id, let at) = record { .healed(id, at: at) } else { record }
            }
        case .replayHealsOldestFirst: altered = records.filter(isIntent).reversed() + records.filter { !isIntent($0) }
        case .replayHealsNewestOnly:
            let older = Set(contents.open.dropLast().map(\.id))
            altered = records.filter { record in
                if case .intent(let intent) = record { !older.contains(intent.id) } else { true }
            }
        case .medicIgnoresTimeToLive: altered = records.map { lasting($0, nil) }
        case .medicFightsLiveController: altered = records.map { lasting($0, .seconds(-60)) }
        default: return contents
        }
        return JournalContents(
            path: contents.path, header: contents.header, records: altered, hasTornTail: contents.hasTornTail)
    }

    private func isIntent(_ record: JournalRecord) -> Bool {
        if case .intent = record { true } else { false }
    }

    private func lasting(_ record: JournalRecord, _ timeToLive: Span?) -> JournalRecord {
        guard case .intent(var intent) = record, intent.timeToLive != nil else { return record }
        intent.timeToLive = timeToLive
        return .intent(intent)
    }

    func takeOver() async throws(JournalError) -> any JournalSink {
        let sink = mutant == .takesOverWithoutLock ? try await store.openBeside() : try await store.takeOver()
        return MutantJournal(sink, mutant)
    }

    func openBeside() async throws(JournalError) -> any JournalSink {
        MutantJournal(try await store.openBeside(), mutant)
    }
}
