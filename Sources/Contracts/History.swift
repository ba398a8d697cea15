package import Basics

/// All observations of a run in memory, by type, each list in order of arrival.
package struct History: Sendable {
    package private(set) var run: RunRecord?
    package private(set) var phases: [(phase: Phase, at: Instant)] = []
    package private(set) var operations: [Operation] = []
    package private(set) var states: [StateSample] = []
    package private(set) var measurements: [Measurement] = []
    package private(set) var readBacks: [ReadBack] = []
    package private(set) var faults: [FaultRecord] = []
    package private(set) var stalls: [ProberStall] = []
    package private(set) var notes: [Note] = []
    package private(set) var steadyStates: [(phase: Phase, held: Bool, at: Instant, detail: String)] = []
    package private(set) var abort: (reason: AbortReason, at: Instant)?
    /// nil: nobody looked; that is not the same as clean.
    package private(set) var leftovers: [Leftover]?
    package private(set) var endedAt: Instant?

    package init() {}

    package init(_ events: some Sequence<HistoryEvent>) {
        for event in events { append(event) }
    }

    package mutating func append(_ event: HistoryEvent) {
        switch event {
        case .run(let record): run = record
        case .phase(let phase, let at): phases.append((phase, at))
        case .operation(let operation): operations.append(operation)
        case .state(let sample): states.append(sample)
        case .measurement(let measurement): measurements.append(measurement)
        case .readBack(let readBack): readBacks.append(readBack)
        case .fault(let transition): apply(transition)
        case .stall(let stall): stalls.append(stall)
        case .note(let note): notes.append(note)
        case .steadyState(let phase, let held, let at, let detail): steadyStates.append((phase, held, at, detail))
        case .aborted(let reason, let at): abort = abort ?? (reason, at)
        case .cleanUp(let found, _): leftovers = found
        case .ended(let at): endedAt = at
        }
    }

    private mutating func apply(_ transition: FaultTransition) {
        if let index = faults.lastIndex(where: { $0.id == transition.id }) {
            faults[index].apply(transition)
        } else {
            faults.append(FaultRecord(transition))
        }
    }

    /// When a phase began; nil when it never did.
    package func start(of phase: Phase) -> Instant? { phases.first { $0.phase == phase }?.at }

    /// The fault a criterion counts from: that of the named step, else the first whose effect was shown.
    package func fault(step: Label?) -> FaultRecord? {
        let candidates = faults.filter { step == nil || $0.step == step }
        return candidates.filter(\.isProven).min { earliest($0) < earliest($1) } ?? candidates.first
    }

    private func earliest(_ fault: FaultRecord) -> Instant { fault.effectiveAt?.lower ?? Instant(nanoseconds: .max) }
}
