package import Basics
package import Contracts

/// A change that no record says is healed for good.
package struct OpenChange: Sendable, Hashable {
    /// How far its records say it got.
    package enum Progress: Sendable, Hashable {
        /// Its undo is on disk; whether the system was touched is not known.
        case intended
        case active(since: Instant)
        case healing(since: Instant)
        /// Its owner tried to heal it and could not.
        case healFailed
        /// Healed by the medic while the controller hung.
        case relieved
    }

    package var intent: JournalIntent
    package var progress: Progress
    /// The change is known to have been made; else whoever made it may have died while it was on its way.
    package var isConfirmed = false

    package init(intent: JournalIntent, progress: Progress) {
        self.intent = intent
        self.progress = progress
    }
}

/// What a journal says, replayed: who wrote it and which changes are still open.
package struct JournalContents: Sendable {
    package var path: String
    package var header: JournalHeader
    /// Changes without a `healed` record with their progress, in the order they were made; heal them in reverse.
    package private(set) var changes: [OpenChange]
    /// Every change that was ever intended, healed or not, in the order they were made.
    package private(set) var intents: [JournalIntent]
    package private(set) var isClosed: Bool
    package var hasTornTail: Bool

    /// - Parameter records: in file order, the header among them or not.
    package init(path: String, header: JournalHeader, records: [JournalRecord], hasTornTail: Bool) {
        self.path = path
        self.header = header
        self.hasTornTail = hasTornTail
        changes = []
        intents = []
        isClosed = false
        for record in records { replay(record) }
    }

    /// Changes without a `healed` record, in the order they were made.
    package var open: [JournalIntent] { changes.map { $0.intent } }

    /// Open changes of which nobody knows whether they are still on their way.
    package var unconfirmed: Set<MutationID> { Set(changes.filter { !$0.isConfirmed }.map(\.intent.id)) }

    /// Nothing is left to heal.
    package var isClean: Bool { changes.isEmpty }

    private mutating func replay(_ record: JournalRecord) {
        switch record {
        case .opened: break
        case .intent(let intent):
            intents.append(intent)
            changes.append(OpenChange(intent: intent, progress: .intended))
        case .active(let id, let at): move(id, to: .active(since: at), isConfirmed: true)
        case .healing(let id, let at): move(id, to: .healing(since: at))
        case .healFailed(let id, _, _): move(id, to: .healFailed)
        case .relieved(let id, _): move(id, to: .relieved)
        case .healed(let id, _): changes.removeAll { $0.intent.id == id }
        case .closed: isClosed = true
        }
    }

    private mutating func move(_ id: MutationID, to progress: OpenChange.Progress, isConfirmed: Bool = false) {
        guard let index = changes.lastIndex(where: { $0.intent.id == id }) else { return }
        changes[index].progress = progress
        if isConfirmed { changes[index].isConfirmed = true }
    }
}
