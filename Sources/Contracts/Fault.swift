package import Basics
package import Experiment

/// Any change outside our process that the journal can undo from its record alone.
///
/// Healing is static: after a crash no instance exists, only the record.
package protocol Mutation: Sendable {
    /// Absolute prior state and our owner mark; enough to heal with no live object. Holds no secret.
    associatedtype Undo: Codable & Sendable

    /// `container.pause`
    static var kind: String { get }
    /// Restores the prior state. Idempotent; a target that is gone counts as healed; touches only what bears our mark.
    static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError)
    /// Reads the real state: what is still there of the change, or nil when it is clean.
    static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover?
    /// What a person would type to heal this by hand.
    static func manualHeal(_ undo: Undo) -> [String]
    /// How long after its sender died, or gave up waiting, the change may still take effect: a request that an engine has
    /// accepted is carried out although nobody waits for the answer. The heal looks again until then.
    static func lateEffect(of undo: Undo) -> Span
    /// How long the system may take to show what it has accepted to heal: a database that starts takes minutes. Until
    /// then a leftover is looked at again, not reported.
    static func recovery(of undo: Undo) -> Span
}

extension Mutation {
    package static func lateEffect(of undo: Undo) -> Span { .seconds(2) }
    package static func recovery(of undo: Undo) -> Span { .seconds(10) }
}

/// A failure we cause on purpose. One file per kind, plus one line in its module's list.
package protocol Fault: Mutation {
    static var manual: Manual { get }
    static var parameters: [any AnyParameter] { get }
    /// What the target must offer.
    static var requires: Set<Target.Attribute> { get }
    /// Whether a step must, may or must not name a target; by default it must when something is required of it.
    static var targeting: Targeting { get }
    /// The parameter that says how one group is divided, for `Targeting.group`.
    static var division: String? { get }
    /// Whether another one of the same kind may be put on a target that has one, each with a mark of its own.
    static var composes: Bool { get }
    /// How long the effect stays when nobody heals it; until healed, unless the fault says otherwise.
    var persistence: Persistence { get }
    init(from reader: inout ParameterReader)

    /// What no other run may touch while this fault is there; locked on the whole machine before `prepare` looks.
    func resources(on target: Target) -> [String]
    /// What would be done, how it is undone, and what that needs; for `squall plan`. Reads nothing, changes nothing.
    func plan(for target: Target) -> PlannedOperation
    /// Read-only, before the run touches anything: rights that can be asked for, and what could not be asked. What needs
    /// the target's state at the moment of the injection belongs into `prepare`.
    func preflight(_ target: Target, in context: SystemContext) async -> [Finding]
    /// Read-only: checks that the fault can work here and captures the prior state.
    func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo
    /// Changes the system and shows the effect. The undo is on disk when this is called.
    ///
    /// Inject and confirm are one call because some effects must be watched from before the change (a process exit
    /// through a pidfd opened first); `Effect.unproven` makes the run inconclusive, never a pass.
    func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect
}

extension Fault {
    package static var division: String? { nil }

    package static var composes: Bool { false }

    package static var targeting: Targeting { requires.isEmpty ? .none : .required }

    package func resources(on target: Target) -> [String] { target.resources }

    package func preflight(_ target: Target, in context: SystemContext) async -> [Finding] { [] }
}

/// A fault that nothing takes back: its heal has nothing to do, and `limits: {irreversible: forbidden}` refuses it.
package protocol IrreversibleFault: Fault {}

extension IrreversibleFault {
    package var persistence: Persistence { .forGood }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {}

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? { nil }

    package static func manualHeal(_ undo: Undo) -> [String] { [] }
}

/// Whether a fault acts on a target that the step names. Without one it gets `Target.localHost`; between two sides, and
/// on a group as a whole, it gets all as one, see `Target.between`.
package enum Targeting: String, Sendable, Hashable, Codable {
    case required
    case optional
    case none
    /// Between two groups of targets: `between: {a: …, b: …}`.
    case between
    /// The same, or within one group, `target: …`, which the fault's parameter `Fault.division` divides.
    case group

    /// On a target, whoever it talks to; or, with `between`, on side `a` as far as it talks to `b`.
    case either

    /// Whether all targets of a step are handed to the fault as one.
    package var isJoint: Bool {
        switch self {
        case .between, .group: true
        case .required, .optional, .none, .either: false
        }
    }
}

/// Whether a fault did what it claims.
package enum Effect: Sendable, Hashable {
    /// The effect began within this interval; `evidence` says what showed it.
    case confirmed(InstantRange, evidence: String)
    /// The call succeeded but nothing shows that it did anything.
    case unproven(String)
}

/// Something of ours that is still in the system.
package struct Leftover: Sendable, Hashable, Codable {
    package var kind: String
    package var target: String
    package var description: String
    /// What a person would type.
    package var commands: [String]

    package init(kind: String, target: String, description: String, commands: [String] = []) {
        self.kind = kind
        self.target = target
        self.description = description
        self.commands = commands
    }
}

/// One line of `squall plan`.
package struct PlannedOperation: Sendable, Hashable, Codable {
    package var operation: String
    package var undo: String
    package var privileges: [String]

    package init(operation: String, undo: String, privileges: [String]) {
        self.operation = operation
        self.undo = undo
        self.privileges = privileges
    }
}

/// Why a fault, a heal or a look at a target failed.
package struct FaultError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable, Codable {
        /// The engine, the server or the API did not answer.
        case unreachable
        /// The target is not there.
        case notFound
        /// The target is not in a state this fault can work on.
        case notApplicable
        /// Permission, capability or credential missing.
        case denied
        /// State of somebody else is in the way; it is never overwritten.
        case foreignState
        /// A fault of another run is on the target, or was left there.
        case inUse
        case timeout
        case cancelled
        /// The other side answered with something we do not understand.
        case unexpected
    }

    package var code: Code
    /// What failed, on which target, why.
    package var message: String
    /// The next command to type; empty when none helps.
    package var advice: String
    package var underlying: (any Error & Sendable)?

    package init(_ code: Code, _ message: String, advice: String = "", underlying: (any Error & Sendable)? = nil) {
        self.code = code
        self.message = message
        self.advice = advice
        self.underlying = underlying
    }

    /// Message and cause in one line, without the advice.
    package var explained: String { message + (underlying.map { ": \($0)" } ?? "") }

    package var description: String { explained + (advice.isEmpty ? "" : "; \(advice)") }
}

/// What `squall explain` and the schema say about a kind.
package struct Manual: Sendable, Hashable {
    package var summary: String
    /// Paragraphs: what it does, how it is undone, what shows its effect, traps.
    package var details: String
    /// A runnable fragment of an experiment file.
    package var example: String

    package init(summary: String, details: String, example: String) {
        self.summary = summary
        self.details = details
        self.example = example
    }
}
