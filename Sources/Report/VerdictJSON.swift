internal import Basics
internal import Contracts

/// `verdict.json`: the verdict for programs. Keys in kebab-case, instants as UTC dates with seconds since the start beside
/// them (`healed-at`, `healed-seconds`), null where nothing is known; the same run always gives the same bytes.
package enum VerdictJSON {
    /// Raised when a key changes its meaning or goes away; added keys do not raise it.
    static let format: Int64 = 1

    /// The document with a newline at its end.
    package static func text(_ report: RunReport) -> String {
        document(report).prettyPrinted
    }

    private static func document(_ report: RunReport) -> OrderedJSON {
        let (verdict, clock) = (report.verdict, report.clock)
        return .object(
            [
                ("format", .integer(format)),
                ("run", .string(verdict.run.run)),
                ("title", .string(verdict.run.title)),
                ("verdict", .string(verdict.verdict.rawValue)),
                ("reason", .string(verdict.reason)),
                ("exit-code", .integer(Int64(verdict.exitCode))),
                ("criteria", .array(verdict.criteria.map(criterion))),
                ("unjudged-criteria", .strings(report.unjudged)),
                ("faults", .array(report.steps.map { fault($0, clock) })),
                ("leftovers", .array(verdict.leftovers.map(leftover))),
                (
                    "clean-up",
                    .object([
                        ("state", .string(report.cleanUp.rawValue)), ("detail", .string(report.cleanUpSentence)),
                    ])
                ),
                ("untested", .strings(verdict.untested)),
                ("started-at", .string(clock.date(clock.start).iso8601)),
                ("ended-at", .string(clock.date(clock.end).iso8601)),
                ("duration-seconds", .number(clock.duration.seconds)),
                ("origin", origin(clock)),
                ("aborted", report.history.abort.map { abort($0.reason, $0.at, clock) } ?? .null),
                ("phases", .array(report.history.phases.map { phase($0.phase, $0.at, clock) })),
                (
                    "steady-state",
                    .array(report.history.steadyStates.map { steadyState($0.phase, $0.held, $0.at, $0.detail, clock) })
                ),
                ("traffic", .array(report.paths.map { path($0, clock) })),
                ("observations", observations(report.history)),
            ] + experiment(verdict.run))
    }

    /// What was run, with what, on what.
    private static func experiment(_ run: RunRecord) -> [(String, OrderedJSON)] {
        [
            ("description", .string(run.description)),
            ("tags", .strings(run.tags)),
            ("file", .string(run.file)),
            ("runbook", .string(run.runbook)),
            ("experiment-digest", .string(run.experimentDigest)),
            // Text: a seed may exceed what a double holds exactly.
            ("seed", .string(String(run.seed))),
            ("tool-version", .string(run.toolVersion)),
            (
                "environment",
                .object(run.environment.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
            ),
        ]
    }

    private static func criterion(_ result: CriterionResult) -> OrderedJSON {
        .object([
            ("name", .string(result.name)),
            ("kind", .string(result.kind)),
            ("probe", .string(result.probe)),
            ("limit", .string(result.limit)),
            ("measured", .number(result.measured)),
            ("unit", .string(result.unit)),
            ("lower", .number(result.lower)),
            ("upper", .number(result.upper)),
            ("samples", .integer(result.samples)),
            ("verdict", .string(result.verdict.rawValue)),
            ("reason", .string(result.reason)),
            (
                "parts",
                .array(
                    result.parts.map {
                        .object([
                            ("name", .string($0.name)), ("value", .number($0.value)), ("unit", .string($0.unit)),
                            ("detail", .string($0.detail)),
                        ])
                    })
            ),
            ("exceptions", .strings(result.exceptions)),
        ])
    }

    private static func fault(_ step: RunReport.Step, _ clock: RunClock) -> OrderedJSON {
        let effect = step.records.compactMap(\.effectiveAt).min { $0.upper < $1.upper }
        let healedAt = step.records.compactMap(\.healedAt).max()
        return .object(
            [
                ("name", .string(step.name)),
                ("kind", .string(step.kind)),
                ("targets", .strings(step.records.map(\.target.text))),
            ]
                + instant("injected", step.records.compactMap(\.injectedAt).min(), clock)
                + instant("effective", effect?.upper, clock)
                + [("effective-within-seconds", .number(effect.map { $0.width.seconds }))]
                + instant("healed", healedAt, clock)
                + [
                    ("proven", .boolean(step.isProven)),
                    ("verified", .boolean(step.isClean)),
                    ("on", .array(step.records.map { record($0, clock) })),
                ])
    }

    private static func record(_ record: FaultRecord, _ clock: RunClock) -> OrderedJSON {
        .object(
            [
                ("target", .string(record.target.text)), ("id", .string(record.id)),
                ("stage", .string(record.stage.rawValue)),
            ]
                + instant("injected", record.injectedAt, clock)
                + instant("effective", record.effectiveAt?.upper, clock)
                + instant("healed", record.healedAt, clock)
                + [("evidence", .string(record.evidence)), ("failure", .string(record.failure))])
    }

    private static func leftover(_ leftover: Leftover) -> OrderedJSON {
        .object([
            ("kind", .string(leftover.kind)), ("target", .string(leftover.target)),
            ("description", .string(leftover.description)), ("commands", .strings(leftover.commands)),
        ])
    }

    private static func path(_ path: PathStatistics, _ clock: RunClock) -> OrderedJSON {
        .object([
            ("probe", .string(path.probe.text)),
            ("path", .string(path.path.text)),
            ("direct", .boolean(path.isDirect)),
            ("due", .integer(path.due)),
            ("ok", .integer(path.ok)),
            ("failed", .integer(path.failed)),
            ("unknown", .integer(path.unknown)),
            ("unsent", .integer(path.unsent)),
            ("median-ms", .number(path.median.milliseconds)),
            ("p99-ms", .number(path.p99.milliseconds)),
            ("max-ms", .number(path.worst.milliseconds)),
            (
                "gaps",
                .array(
                    path.gaps.map { gap in
                        .object(
                            instant("from", gap.from, clock) + instant("to", gap.to, clock)
                                + [
                                    ("seconds", .number(gap.to.map { ($0 - gap.from).seconds })),
                                    ("arrivals", .integer(gap.arrivals)),
                                ])
                    })
            ),
        ])
    }

    private static func observations(_ history: History) -> OrderedJSON {
        .object([
            ("operations", .integer(history.operations.count)),
            ("states", .integer(history.states.count)),
            ("measurements", .integer(history.measurements.count)),
            ("censored-measurements", .integer(history.measurements.count { $0.isCensored })),
            ("read-backs", .integer(history.readBacks.count)),
            ("prober-stalls", .integer(history.stalls.count)),
        ])
    }

    private static func origin(_ clock: RunClock) -> OrderedJSON {
        .object(
            [("what", .string(clock.startsAtFault ? "effect of the first fault" : "start of the run"))]
                + instant("", clock.origin, clock))
    }

    private static func abort(_ reason: AbortReason, _ at: Instant, _ clock: RunClock) -> OrderedJSON {
        .object([("reason", .string(reason.sentence))] + instant("", at, clock))
    }

    private static func phase(_ phase: Phase, _ at: Instant, _ clock: RunClock) -> OrderedJSON {
        .object([("phase", .string(phase.rawValue))] + instant("began", at, clock))
    }

    private static func steadyState(
        _ phase: Phase, _ held: Bool, _ at: Instant, _ detail: String, _ clock: RunClock
    ) -> OrderedJSON {
        .object(
            [("phase", .string(phase.rawValue)), ("held", .boolean(held))] + instant("judged", at, clock)
                + [("detail", .string(detail))])
    }

    /// `name-at` and `name-seconds`; `at` and `seconds` without a name.
    private static func instant(_ name: String, _ at: Instant?, _ clock: RunClock) -> [(String, OrderedJSON)] {
        let prefix = name.isEmpty ? "" : name + "-"
        return [
            (prefix + "at", .string(at.map { clock.date($0).iso8601 })),
            (prefix + "seconds", .number(at.map { clock.seconds($0) })),
        ]
    }
}
