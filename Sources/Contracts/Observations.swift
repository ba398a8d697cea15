// Public for the compiler alone, as `Instant` says: documented like what is `package`.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import Basics

/// One attempted operation of a probe, with the three instants that make latency honest.
///
/// Latency is `end - due`: an arrival that had to wait in the client waited for the system. Public, like `StateSample`, for
/// the reason that `Instant` gives.
public struct Operation: Sendable, Hashable {
    public enum Action: String, Sendable, Hashable, Codable {
        case write
        case read
        case check
    }

    public var probe: Label
    /// The way it went: `kept`, `fresh`, `direct:pg-1`.
    public var path: Label
    /// The node that answered (or was addressed directly); empty when unknown.
    public var node: Label
    public var action: Action
    /// Unique within probe and run; a ledger's key.
    public var sequence: Int64
    public var due: Instant
    /// nil: never sent (no free connection before the deadline); such an arrival counts as failed.
    public var sent: Instant?
    public var end: Instant
    public var outcome: Outcome
    /// The class of the failure (`25006`, `timeout`, `refused`, `warned-ack`); empty for ok.
    public var reason: Label

    public init(
        probe: Label, path: Label, node: Label = .none, action: Action, sequence: Int64, due: Instant, sent: Instant?,
        end: Instant, outcome: Outcome, reason: Label = .none
    ) {
        self.probe = probe
        self.path = path
        self.node = node
        self.action = action
        self.sequence = sequence
        self.due = due
        self.sent = sent
        self.end = end
        self.outcome = outcome
        self.reason = reason
    }

    /// What the client waited, from when the arrival was due.
    public var latency: Span { end - due }

    /// Whether a path goes past the service to one node: it is evidence, and says nothing of what clients get.
    package static func isDirect(_ path: Label) -> Bool { path.text.hasPrefix("direct:") }

    /// Whether a path leads to the owner of each key: several nodes acknowledge writes there, and each is right.
    package static func isSharded(_ path: Label) -> Bool { path == "cluster" }
}

/// One look at one node: what it says of itself.
public struct StateSample: Sendable, Hashable {
    public var probe: Label
    public var node: Label
    public var sent: Instant
    public var end: Instant
    /// `primary`, `replica`, `running`, `paused`, … or `unreachable` when there was no answer.
    public var state: Label
    /// PostgreSQL's timeline, a Sentinel's epoch; nil when the system has none.
    public var generation: Int64?
    /// A log position in bytes (LSN, replication offset).
    public var position: Int64?
    /// The data's identity (system id, replication id), to notice a different cluster under the same address.
    public var identity: Label
    /// Why there was no answer, or a remark; empty otherwise.
    public var detail: Label

    public init(
        probe: Label, node: Label, sent: Instant, end: Instant, state: Label, generation: Int64? = nil,
        position: Int64? = nil, identity: Label = .none, detail: Label = .none
    ) {
        self.probe = probe
        self.node = node
        self.sent = sent
        self.end = end
        self.state = state
        self.generation = generation
        self.position = position
        self.identity = identity
        self.detail = detail
    }

    /// Of a node that gave no answer, or none that says how it is.
    package init(silent node: Label, _ probe: Label, sent: Instant, end: Instant, _ reason: Label) {
        self.init(probe: probe, node: node, sent: sent, end: end, state: Self.unreachable, detail: reason)
    }

    public static let primary: Label = "primary"
    public static let replica: Label = "replica"
    public static let unreachable: Label = "unreachable"
}

/// One measured value of one node, for example a replication lag.
package struct Measurement: Sendable, Hashable {
    package enum Unit: String, Sendable, Hashable, Codable {
        case seconds
        case bytes
        case count
        case fraction
    }

    package var probe: Label
    package var node: Label
    /// The metric's name as conditions use it: `lag`, `value`, `restarts`.
    package var metric: Label
    package var at: Instant
    package var value: Double
    package var unit: Unit
    /// True: the real value is at least this (the node did not answer, the row was not seen yet).
    package var isCensored: Bool

    package init(
        probe: Label, node: Label, metric: Label, at: Instant, value: Double, unit: Unit, isCensored: Bool = false
    ) {
        self.probe = probe
        self.node = node
        self.metric = metric
        self.at = at
        self.value = value
        self.unit = unit
        self.isCensored = isCensored
    }
}

/// What a ledger found on one node: every sequence it holds, as ranges, and those it holds more than once.
package struct ReadBack: Sendable, Hashable, Codable {
    package enum Stage: String, Sendable, Hashable, Codable {
        /// Before a rewind or resync could destroy it.
        case evidence
        /// After recovery: what is left.
        case final
    }

    package var probe: Label
    package var node: Label
    package var stage: Stage
    package var at: Instant
    /// The node is the one clients reach after recovery; its content decides what is lost.
    package var isAuthoritative: Bool
    /// Ascending, not overlapping, inclusive.
    package var present: [ClosedRange<Int64>]
    package var duplicated: [Int64]
    package var generation: Int64?
    /// Not empty: the node could not be read; `present` says nothing then.
    package var failure: String

    package init(
        probe: Label, node: Label, stage: Stage, at: Instant, isAuthoritative: Bool, present: [ClosedRange<Int64>],
        duplicated: [Int64] = [], generation: Int64? = nil, failure: String = ""
    ) {
        self.probe = probe
        self.node = node
        self.stage = stage
        self.at = at
        self.isAuthoritative = isAuthoritative
        self.present = present
        self.duplicated = duplicated
        self.generation = generation
        self.failure = failure
    }
}

/// The prober itself stood still: what it did not send in this window says nothing about the system.
package struct ProberStall: Sendable, Hashable, Codable {
    package var from: Instant
    package var to: Instant

    package init(from: Instant, to: Instant) {
        self.from = from
        self.to = to
    }
}
