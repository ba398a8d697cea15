package import Basics
package import Contracts
package import Experiment

/// What a journal says of the run that wrote it: enough to heal without the experiment file.
package struct JournalHeader: Sendable, Hashable, Codable {
    /// The format's version; a reader refuses a newer one.
    package var version: Int
    package var run: String
    package var title: String
    package var runbook: String?
    package var host: String
    /// `/etc/machine-id` of that host; nil where there is none. Two containers may bear one name, two clones one id.
    package var machine: String?
    package var bootID: String
    package var pid: Int32
    /// Start time of the controller in clock ticks since boot: with the pid it names the process for good.
    package var processStart: UInt64
    /// Where secrets are found when the heal needs them; never their values.
    package var secrets: [String: SecretReference]
    package var openedAt: WallInstant

    package static let currentVersion = 1

    package init(
        run: String, title: String, runbook: String?, host: String, machine: String?, bootID: String, pid: Int32,
        processStart: UInt64, secrets: [NamedValue<SecretReference>], openedAt: WallInstant
    ) {
        version = JournalHeader.currentVersion
        self.run = run
        self.title = title
        self.runbook = runbook
        self.host = host
        self.machine = machine
        self.bootID = bootID
        self.pid = pid
        self.processStart = processStart
        self.secrets = Dictionary(secrets.map { ($0.name, $0.value) }) { first, _ in first }
        self.openedAt = openedAt
    }
}

/// A change that is about to be made, with all that undoes it.
package struct JournalIntent: Sendable, Hashable, Codable {
    package var id: MutationID
    /// The step's name; empty for a change that is no fault (a ledger's schema).
    package var step: String
    package var kind: String
    /// The target's identity, for locks and for telling targets apart.
    package var target: String
    /// The target's name, for people.
    package var targetName: String
    package var undo: JSONValue
    /// After this time the change must be healed even if the controller hangs; nil: it lasts until the run heals.
    package var timeToLive: Span?
    package var at: Instant

    package init(
        id: MutationID, step: String, kind: String, target: String, targetName: String, undo: JSONValue,
        timeToLive: Span?, at: Instant
    ) {
        self.id = id
        self.step = step
        self.kind = kind
        self.target = target
        self.targetName = targetName
        self.undo = undo
        self.timeToLive = timeToLive
        self.at = at
    }
}

/// One entry of the journal. Replay heals every intent that has no `healed`.
package enum JournalRecord: Sendable, Hashable, Codable {
    case opened(JournalHeader)
    case intent(JournalIntent)
    case active(MutationID, at: Instant)
    case healing(MutationID, at: Instant)
    case healed(MutationID, at: Instant)
    case healFailed(MutationID, reason: String, at: Instant)
    /// Healed by the medic while the controller hung. Not final: the controller may wake in the middle of its injection,
    /// so that replay heals and verifies the change once more.
    case relieved(MutationID, at: Instant)
    case closed(at: Instant)

    /// Whether the record must be on disk before anything else happens.
    ///
    /// `active` and `healing` need not: the page cache outlives a SIGKILL, and what a power failure takes with it only
    /// repeats a heal, which is idempotent. So a fault costs one fdatasync before and one after.
    package var isDurable: Bool {
        switch self {
        case .opened, .intent, .healed, .healFailed, .relieved, .closed: true
        case .active, .healing: false
        }
    }
}
