internal import Basics
internal import Contracts
internal import Journal

/// A journal that is not healed from, with all that a person needs to heal by hand.
struct RefusedJournal: Encodable {
    /// A change that the journal still tells of.
    struct Change: Encodable {
        var kind: String
        var target: String
        var commands: [String]
    }

    var path: String
    var reason: String
    /// The next command to type.
    var next: String?
    var run: String?
    var runbook: String?
    /// Newest first: the order in which they are to be healed.
    var changes: [Change]

    /// One that cannot be read, or not to its end.
    init(_ path: String, _ error: JournalError, _ registry: Registry) {
        let header = error.records.lazy.compactMap { if case .opened(let header) = $0 { header } else { nil } }.first
        self.init(
            path, reason: "\(error)", header, openIntents(error.records), registry,
            next: error.code == .newerVersion ? "heal with the squall that wrote it (squall --version)" : nil)
    }

    /// One of another machine.
    init(_ contents: JournalContents, host: String, here: String, _ registry: Registry) {
        self.init(
            contents.path, reason: "it was written on the machine '\(host)', and this is '\(here)'", contents.header,
            contents.open, registry,
            next: "run squall heal there, or, if that machine shared this one's engine: squall heal --run "
                + "\(contents.header.run) --accept-host \(host)")
    }

    private init(
        _ path: String, reason: String, _ header: JournalHeader?, _ intents: [JournalIntent], _ registry: Registry,
        next: String?
    ) {
        self.path = path
        self.reason = reason
        self.next = next
        run = header?.run
        runbook = header?.runbook
        changes = intents.reversed().map { intent in
            Change(
                kind: intent.kind, target: intent.targetName,
                commands: registry.mutation(intent.kind).map { manualHeal($0, intent) } ?? [])
        }
    }

    func show() {
        Output.error("error: \(path) is not healed from: \(reason)")
        for change in changes {
            Output.error("  it still tells of \(change.kind) on \(change.target)")
            for command in change.commands { Output.error("    by hand: \(command)") }
        }
        if changes.isEmpty { Output.error("  it tells of no open change; look yourself: squall leftovers") }
        Output.error("  runbook: \(runbook ?? HealReport.generalRunbook)")
        if let next { Output.error("  next: \(next)") }
    }
}

/// What the readable records leave open. A record that is damaged may have closed one of these: healing is idempotent,
/// and so is what a person would type.
private func openIntents(_ records: [JournalRecord]) -> [JournalIntent] {
    var open: [JournalIntent] = []
    for record in records {
        if case .intent(let intent) = record { open.append(intent) }
        if case .healed(let id, _) = record { open.removeAll { $0.id == id } }
    }
    return open
}

private func manualHeal<Change: Mutation>(_ type: Change.Type, _ intent: JournalIntent) -> [String] {
    (try? intent.undo.decode(as: Change.Undo.self)).map { Change.manualHeal($0) } ?? []
}
