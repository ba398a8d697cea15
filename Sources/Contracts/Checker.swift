package import Basics
package import Experiment

/// The three verdicts; what was not shown is inconclusive, never a pass.
package enum Verdict: String, Sendable, Hashable, Codable, CaseIterable {
    case pass
    case fail
    case inconclusive

    /// A fail anywhere is a fail; else anything inconclusive makes the whole so; nothing judged is inconclusive.
    package static func combined(_ verdicts: some Sequence<Verdict>) -> Verdict {
        var result: Verdict?
        for verdict in verdicts {
            switch (result, verdict) {
            case (.fail, _), (_, .fail): result = .fail
            case (.inconclusive, _), (_, .inconclusive): result = .inconclusive
            case (_, .pass): result = .pass
            }
        }
        return result ?? .inconclusive
    }
}

/// A criterion's judgement: pure and synchronous, a function of the history alone.
package protocol Checker: Sendable {
    /// The key under `criteria`: `rto`.
    static var kind: String { get }
    static var manual: Manual { get }
    /// Without `probe`, `after` and `name`, which every criterion has.
    static var parameters: [any AnyParameter] { get }
    /// What the judged probe must record.
    static var needs: Set<ObservationKind> { get }
    /// Alternatives to `needs`: a probe that records all of any one set will do. Empty: the criterion judges no probe.
    static var accepts: [Set<ObservationKind>] { get }
    init(from reader: inout ParameterReader)
    func check(_ history: History, _ subject: CheckSubject) -> CriterionResult
    /// The limits that this criterion sets for the outage budget; all nil when it has none.
    var budget: OutageBudget { get }
}

extension Checker {
    package static var accepts: [Set<ObservationKind>] { needs.isEmpty ? [] : [needs] }
    package var budget: OutageBudget { OutageBudget() }
}

/// What a criterion is about.
package struct CheckSubject: Sendable, Hashable {
    package var name: String
    /// Empty for criteria without a probe (`recovery`).
    package var probe: Label
    /// Count from this step's fault; nil: from the first proven one.
    package var after: Label?
    /// The steady state of the experiment, for `recovery`; nil when it has none.
    package var steadyState: SteadyState?

    package init(name: String, probe: Label, after: Label? = nil, steadyState: SteadyState? = nil) {
        self.name = name
        self.probe = probe
        self.after = after
        self.steadyState = steadyState
    }
}

/// RTO, availability and window that must be able to hold together.
package struct OutageBudget: Sendable, Hashable {
    package var recoveryTime: Span?
    package var availability: Share?
    package var window: Span?
    /// How long after the fault the steady state may take to return; the controller settles at least that long.
    package var recoveryWithin: Span?

    package init(
        recoveryTime: Span? = nil, availability: Share? = nil, window: Span? = nil, recoveryWithin: Span? = nil
    ) {
        self.recoveryTime = recoveryTime
        self.availability = availability
        self.window = window
        self.recoveryWithin = recoveryWithin
    }
}

/// One row of the verdict: the figure, its bounds, and why it passes or not. Every output prints this same value.
package struct CriterionResult: Sendable, Hashable, Codable {
    package var name: String
    package var kind: String
    package var probe: String
    /// The limit as a person wrote it: `<= 30s`.
    package var limit: String
    /// In `unit`; nil when nothing could be measured.
    package var measured: Double?
    /// `s`, `writes`, `%`, `ms`, …
    package var unit: String
    package var lower: Double?
    package var upper: Double?
    package var samples: Int
    package var verdict: Verdict
    /// One sentence: why this verdict; with inconclusive also what is missing.
    package var reason: String
    /// Parts of the figure in order (phases of an RTO, sides of a loss): name, value in `unit` or a count.
    package var parts: [Part]
    /// Exceptions worth listing, bounded to 100: lost writes, overlapping intervals.
    package var exceptions: [String]

    package struct Part: Sendable, Hashable, Codable {
        package var name: String
        package var value: Double?
        package var unit: String
        package var detail: String

        package init(name: String, value: Double?, unit: String, detail: String = "") {
            self.name = name
            self.value = value
            self.unit = unit
            self.detail = detail
        }
    }

    package init(
        name: String, kind: String, probe: String, limit: String, measured: Double? = nil, unit: String,
        lower: Double? = nil, upper: Double? = nil, samples: Int, verdict: Verdict, reason: String, parts: [Part] = [],
        exceptions: [String] = []
    ) {
        self.name = name
        self.kind = kind
        self.probe = probe
        self.limit = limit
        self.measured = measured
        self.unit = unit
        self.lower = lower
        self.upper = upper
        self.samples = samples
        self.verdict = verdict
        self.reason = reason
        self.parts = parts
        self.exceptions = exceptions
    }
}

/// The whole verdict of a run: the one model behind terminal, JSON, JUnit, Markdown and HTML.
package struct RunVerdict: Sendable, Hashable {
    package var run: RunRecord
    package var verdict: Verdict
    /// One sentence for the first line of every output.
    package var reason: String
    package var exitCode: Int32
    package var criteria: [CriterionResult]
    package var faults: [FaultRecord]
    package var leftovers: [Leftover]
    /// What was not tested or not measured, in words.
    package var untested: [String]
    package var endedAt: Instant

    package init(
        run: RunRecord, verdict: Verdict, reason: String, exitCode: Int32, criteria: [CriterionResult],
        faults: [FaultRecord], leftovers: [Leftover], untested: [String], endedAt: Instant
    ) {
        self.run = run
        self.verdict = verdict
        self.reason = reason
        self.exitCode = exitCode
        self.criteria = criteria
        self.faults = faults
        self.leftovers = leftovers
        self.untested = untested
        self.endedAt = endedAt
    }
}
