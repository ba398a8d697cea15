internal import Basics
package import Contracts

/// The verdict of a whole run: what its criteria, its faults and its end allow to be said.
///
/// A pure function of the history. A fail stands whatever else happened; a pass must survive every doubt.
package struct RunJudgement: Sendable, Hashable {
    package var verdict: Verdict
    /// One sentence for the first line of every output.
    package var reason: String
    /// What was not tested or not measured, in words.
    package var untested: [String]

    /// - Parameters:
    ///   - steps: the names of the method's steps, so that one which never began is noticed.
    ///   - hasSteadyState: the experiment states one, so it must have been judged after the heal.
    package static func judge(
        _ history: History, criteria: [CriterionResult], steps: [String] = [], hasSteadyState: Bool = false
    ) -> RunJudgement {
        let doubts = Doubts(history, steps: steps, hasSteadyState: hasSteadyState)
        let untested = doubts.all + notes(history, criteria)
        let settled = history.steadyStates.last { $0.phase == .settling }
        if let failure = failure(criteria, settled: settled) {
            return RunJudgement(verdict: .fail, reason: failure, untested: untested)
        }
        if let doubt = doubts.all.first {
            return RunJudgement(verdict: .inconclusive, reason: doubt, untested: untested)
        }
        let open = criteria.filter { $0.verdict == .inconclusive }
        if let first = open.first {
            let others = open.count > 1 ? " (and \(open.count - 1) more)" : ""
            return RunJudgement(
                verdict: .inconclusive, reason: "\(first.name): \(first.reason)\(others)", untested: untested)
        }
        return held(criteria.count, isSettled: settled?.held ?? false, untested)
    }

    private static func failure(
        _ criteria: [CriterionResult], settled: (phase: Phase, held: Bool, at: Instant, detail: String)?
    ) -> String? {
        let failed = criteria.filter { $0.verdict == .fail }
        if let first = failed.first {
            let others = failed.count > 1 ? " (and \(failed.count - 1) more of \(criteria.count) criteria failed)" : ""
            return "\(first.name): \(first.reason)\(others)"
        }
        if let settled, !settled.held { return "the steady state did not hold again after the heal: \(settled.detail)" }
        return nil
    }

    /// Without criteria, a run is judged by its steady state alone; without that either, nothing was judged.
    private static func held(_ criteria: Int, isSettled: Bool, _ untested: [String]) -> RunJudgement {
        if criteria > 0 {
            let what = criteria == 1 ? "the criterion holds" : "all \(criteria) criteria hold"
            return RunJudgement(verdict: .pass, reason: what, untested: untested)
        }
        let missing = untested + ["no criteria: nothing but the steady state was judged"]
        return isSettled
            ? RunJudgement(
                verdict: .pass, reason: "the steady state held again after the heal; there are no criteria",
                untested: missing)
            : RunJudgement(
                verdict: .inconclusive, reason: "no criteria and no steady state: nothing was judged", untested: missing
            )
    }

    private static func notes(_ history: History, _ criteria: [CriterionResult]) -> [String] {
        var notes = criteria.filter { $0.verdict == .inconclusive }.map { "\($0.name): \($0.reason)" }
        let stalled = history.stalls.reduce(Span.zero) { $0 + ($1.to - $1.from) }
        if stalled > .zero {
            notes.append("the prober itself stood still for \(stalled): what was due then is not charged")
        }
        if history.leftovers == nil { notes.append("nobody looked for leftovers") }
        return notes
    }
}

/// Every reason for which a run cannot be a pass.
private struct Doubts {
    var all: [String] = []

    init(_ history: History, steps: [String], hasSteadyState: Bool) {
        if let abort = history.abort { all.append(Self.text(abort.reason)) }
        for fault in history.faults { if let doubt = Self.doubt(fault) { all.append(doubt) } }
        for step in steps where !history.faults.contains(where: { $0.step.text == step }) {
            all.append("step '\(step)' never injected its fault")
        }
        if let leftover = history.leftovers?.first {
            all.append("left over: \(leftover.kind) on \(leftover.target): \(leftover.description)")
        }
        if hasSteadyState, history.abort == nil, !history.steadyStates.contains(where: { $0.phase == .settling }) {
            all.append("the steady state was not judged after the heal")
        }
    }

    private static func doubt(_ fault: FaultRecord) -> String? {
        let subject = "\(fault.kind) on \(fault.target) (step '\(fault.step)')"
        let why = fault.failure.isEmpty ? "" : ": \(fault.failure)"
        if !fault.isProven {
            switch fault.stage {
            case .refused: return "\(subject) could not be injected\(why)"
            case .prepared, .injecting, .active, .unproven, .healing, .healed, .healFailed:
                return "\(subject) has no proven effect\(why)"
            }
        }
        switch fault.stage {
        case .healed: return nil
        case .healFailed: return "\(subject) could not be healed\(why)"
        case .prepared, .injecting, .active, .unproven, .refused, .healing:
            return "\(subject) was never verified as healed\(why)"
        }
    }

    private static func text(_ reason: AbortReason) -> String {
        switch reason {
        case .signal(let number): "the run was stopped by signal \(number)"
        case .stopCondition(let condition): "a stop condition ended the run: \(condition)"
        case .steadyStateNotReached(let detail): "the steady state did not hold before the fault: \(detail)"
        case .injectionFailed(let detail): "a fault could not be injected: \(detail)"
        case .maxDurationReached: "the run reached its maximum duration"
        case .refused(let detail): "the run was refused: \(detail)"
        case .environment(let detail): "the environment failed: \(detail)"
        case .controllerDied(let detail): "the controller died: \(detail)"
        }
    }
}
