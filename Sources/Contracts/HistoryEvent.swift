package import Basics

/// The phases of a run, in order; `judged` ends it.
package enum Phase: String, Sendable, Hashable, Codable, CaseIterable {
    case preflight
    case baseline
    case injecting
    case observing
    case healing
    case settling
    case judged
}

/// What the history needs to know of the run itself; the first event of every history.
package struct RunRecord: Sendable, Hashable, Codable {
    package var run: String
    package var title: String
    package var description: String
    package var tags: [String]
    package var file: String
    package var runbook: String?
    /// SHA-256 or another digest of the experiment's text, so that two runs can be told to be of the same experiment.
    package var experimentDigest: String
    package var seed: UInt64
    package var startedAt: Instant
    package var startedAtWall: WallInstant
    package var toolVersion: String
    /// Operating system, kernel, cores, engine version, …: name → value, without secrets.
    package var environment: [String: String]
    /// The criteria as written, kind and parameters in one line each, for readers of the file.
    package var criteria: [String]
    /// The same for programs, as JSON: enough to judge the run again from its history.
    package var criterionDefinitions: String
    /// The method's step names in file order, so that one which never began is noticed.
    package var steps: [String]
    /// How long the steady state must hold; nil: the experiment states none. It must be judged after the heal as well.
    package var steadyStateHold: Span?

    package init(
        run: String, title: String, description: String = "", tags: [String] = [], file: String, runbook: String? = nil,
        experimentDigest: String = "", seed: UInt64, startedAt: Instant, startedAtWall: WallInstant,
        toolVersion: String,
        environment: [String: String] = [:], criteria: [String] = [], criterionDefinitions: String = "",
        steps: [String] = [],
        steadyStateHold: Span? = nil
    ) {
        self.run = run
        self.title = title
        self.description = description
        self.tags = tags
        self.file = file
        self.runbook = runbook
        self.experimentDigest = experimentDigest
        self.seed = seed
        self.startedAt = startedAt
        self.startedAtWall = startedAtWall
        self.toolVersion = toolVersion
        self.environment = environment
        self.criteria = criteria
        self.criterionDefinitions = criterionDefinitions
        self.steps = steps
        self.steadyStateHold = steadyStateHold
    }
}

/// A remark on the timeline: a milestone of the system, an operator's note, a guard that tripped.
package struct Note: Sendable, Hashable, Codable {
    package enum Level: String, Sendable, Hashable, Codable {
        case info
        case warning
        case error
    }

    package var at: Instant
    /// Where it comes from: a probe's name, `controller`, `docker`.
    package var source: Label
    package var level: Level
    package var message: String

    package init(at: Instant, source: Label, level: Level = .info, message: String) {
        self.at = at
        self.source = source
        self.level = level
        self.message = message
    }
}

/// Why a run ended before its time.
package enum AbortReason: Sendable, Hashable, Codable {
    case signal(CInt)
    case stopCondition(String)
    case steadyStateNotReached(String)
    case injectionFailed(String)
    case maxDurationReached
    /// A limit, a protected target or an empty selection, found before anything was touched.
    case refused(String)
    case environment(String)
    /// The controller was gone before it had healed; the medic or a person's `squall heal` cleaned up.
    case controllerDied(String)
}

/// One entry of the append-only history; everything else a run writes is computed from these.
package enum HistoryEvent: Sendable, Hashable {
    /// Indirect: it is by far the largest, and written once.
    indirect case run(RunRecord)
    case phase(Phase, at: Instant)
    case operation(Operation)
    case state(StateSample)
    case measurement(Measurement)
    case readBack(ReadBack)
    case fault(FaultTransition)
    case stall(ProberStall)
    case note(Note)
    /// The steady state was judged: before the fault (baseline) or after the heal (settling).
    case steadyState(phase: Phase, held: Bool, at: Instant, detail: String)
    case aborted(AbortReason, at: Instant)
    /// The system was looked at after the heal: what is left of ours, empty when it is clean.
    case cleanUp(leftovers: [Leftover], at: Instant)
    case ended(at: Instant)
}
