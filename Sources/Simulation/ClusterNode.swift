internal import Basics
internal import Contracts

/// One database node of the simulated cluster, as it really is.
struct ClusterNode: Sendable {
    enum Role: Sendable {
        case primary
        case standby
    }

    /// A committed write on a primary's log.
    struct Entry: Sendable {
        var sequence: Int64
        var at: Instant
    }

    let name: Label
    var role: Role
    /// Its process exists.
    var isAlive = true
    /// It is paused or stopped: it holds what it gets and answers nothing.
    var isFrozen = false
    /// Nothing reaches it and nothing leaves it.
    var isCut = false
    /// It serves from this instant on, when it was started again.
    var readyAt: Instant?
    /// A primary that another has replaced steps down at this instant.
    var demotesAt: Instant?
    /// A look has found it to be primary since it became one.
    var isSeen = false
    /// What it wrote since it became primary, with what it took over.
    var log: [Entry] = []

    init(name: Label, role: Role) {
        self.name = name
        self.role = role
    }

    /// It accepts connections.
    var isServing: Bool { isAlive && readyAt == nil && !isFrozen && !isCut }
    /// It believes itself to be primary, whether or not anybody can reach it.
    var claimsPrimary: Bool { isAlive && readyAt == nil && role == .primary }
    /// A promotion in the last moment before nothing is heard of a node any more is below what sampling can show.
    var isKnowable: Bool { claimsPrimary && (isSeen || isServing) }
}

/// One write on its way to a node and back.
struct ClusterWrite: Sendable {
    enum Stage: Sendable {
        case travelling(arrives: Instant)
        /// The node stands still, and holds it.
        case held
        case executing(commits: Instant)
        case acknowledging(arrives: Instant)
        case done
    }

    let sequence: Int64
    let due: Instant
    /// nil: it was never sent, because its time was over when it could have been.
    let sent: Instant?
    let timesOut: Instant
    let node: Int
    /// One half of its way; the commit takes as long.
    let leg: Span
    var stage: Stage
    /// What the client was told, and when.
    var outcome: (outcome: Outcome, end: Instant, reason: Label)?
    var isReported = false

    var next: Instant {
        let step =
            switch stage {
            case .travelling(let instant), .executing(let instant), .acknowledging(let instant): instant
            case .held, .done: Instant(nanoseconds: .max)
            }
        return outcome == nil ? min(step, timesOut) : step
    }
}

/// Why a write or a look did not succeed, as clients say it: each name is looked up once for all worlds.
enum ClusterReason {
    static let timeout: Label = "timeout"
    static let refused: Label = "refused"
    static let lost: Label = "lost"
    /// SQLSTATE read_only_sql_transaction
    static let readOnly: Label = "25006"
    /// SQLSTATE admin_shutdown
    static let shutdown: Label = "57P01"
}
