package import Basics
package import Experiment

/// A way to look at the system under test for the whole run.
///
/// A probe reports, it never judges: an answer is ok, failed or unknown, and checkers decide what that means.
package protocol Probe: Sendable {
    static var kind: String { get }
    static var manual: Manual { get }
    static var parameters: [any AnyParameter] { get }
    /// What it records; a criterion that needs something else is refused when the file is loaded.
    static var emits: Set<ObservationKind> { get }
    /// Metrics of its own beyond those its observations give anyway (see `MetricCatalog`).
    static var metrics: [String] { get }
    /// What it creates for itself and removes again; for `squall plan`.
    static var changes: [PlannedOperation] { get }
    init(name: Label, from reader: inout ParameterReader)

    /// Read-only: can it work? Findings that are errors stop the run before anything is touched.
    func preflight(in context: SystemContext) async -> [Finding]
    /// Opens connections and creates what it needs (through `context.mutate`, so that the journal can remove it).
    func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession
    /// The target behind a node that this probe reports, for `from: <probe>`; nil when it knows no such node.
    func target(forNode node: Label) -> Target?
    /// The nodes of which it records states, where the file names them: until it has looked at each of them, nobody can
    /// say that none is primary. Empty when they are not known beforehand.
    var watchedNodes: [Label] { get }
}

extension Probe {
    package static var metrics: [String] { [] }
    package static var changes: [PlannedOperation] { [] }
    package func target(forNode node: Label) -> Target? { nil }
    package var watchedNodes: [Label] { [] }
}

/// A probe at work. Called in this order: `run`, `snapshot` (any number of times), `collect`, `close`.
package protocol ProbeSession: Sendable {
    /// Samples until the task is cancelled, then waits for what is in flight (bounded by the probe's own timeout).
    func run() async
    /// Reads evidence of every node before a heal can destroy it (`ReadBack.Stage.evidence`); most probes do nothing.
    func snapshot() async
    /// The authoritative final reads, after settling (`ReadBack.Stage.final`); most probes do nothing.
    func collect() async
    /// Removes what `start` created. The journal holds the same undo in case this is never reached.
    func close() async throws(FaultError)
}

extension ProbeSession {
    package func snapshot() async {}
    package func collect() async {}
}

/// The lists of a `History` a probe fills.
package enum ObservationKind: String, Sendable, Hashable, Codable, CaseIterable {
    case operations
    case states
    case measurements
    case readBacks
}

/// What a probe gets beyond the system context: the journal, for what it creates.
package struct ProbeContext: Sendable {
    package var system: SystemContext
    /// Journals the undo with fdatasync, then returns; the caller changes the system after that, never before.
    package var journal:
        @Sendable (_ kind: String, _ target: String, _ undo: JSONValue) async throws(FaultError) -> MutationID
    /// Notes that the change is undone and verified.
    package var closeJournal: @Sendable (MutationID) async throws(FaultError) -> Void

    package init(
        system: SystemContext,
        journal: @escaping @Sendable (String, String, JSONValue) async throws(FaultError) -> MutationID,
        closeJournal: @escaping @Sendable (MutationID) async throws(FaultError) -> Void
    ) {
        self.system = system
        self.journal = journal
        self.closeJournal = closeJournal
    }
}

/// The journal's id of one change.
package struct MutationID: Sendable, Hashable, Codable, CustomStringConvertible {
    package var text: String

    package init(_ text: String) {
        self.text = text
    }

    package var description: String { text }
}

/// What preflight found: an error stops the run before anything is touched.
package struct Finding: Sendable, Hashable, Codable {
    package var severity: Diagnostic.Severity
    package var message: String
    /// The command that fixes it; empty when none does.
    package var advice: String

    package init(_ severity: Diagnostic.Severity, _ message: String, advice: String = "") {
        self.severity = severity
        self.message = message
        self.advice = advice
    }
}
