internal import Basics
package import Contracts

/// The one model behind terminal, JSON, JUnit, Markdown and HTML: the verdict, its history, and what is derived from both.
///
/// Built once per run; no output computes a figure of its own, so they cannot disagree.
package struct RunReport: Sendable {
    package var verdict: RunVerdict
    package var history: History
    package var clock: RunClock
    /// What clients saw, per probe and path.
    package var paths: [PathStatistics]
    package var roles: [RoleLane]
    package var writes: [WriteLane]
    package var timeline: [TimelineEntry]

    package init(_ verdict: RunVerdict, _ history: History) {
        self.verdict = verdict
        self.history = history
        clock = RunClock(verdict, history)
        paths = PathStatistics.all(history)
        roles = RoleLane.all(history)
        writes = WriteLane.all(history)
        timeline = TimelineEntry.all(verdict, history, paths: paths.filter { !$0.isDirect }, lanes: roles)
    }

    /// The ways clients take to the system.
    package var clientPaths: [PathStatistics] { paths.filter { !$0.isDirect } }

    /// The targets of one step of the method, with one record each.
    struct Step {
        var name: String
        var kind: String
        var records: [FaultRecord]

        /// The effect was shown on every target.
        var isProven: Bool { records.allSatisfy(\.isProven) }
        /// Nothing is left of it: healed with the clean state read back, or never injected.
        var isClean: Bool { records.allSatisfy { $0.stage == .healed || $0.stage == .refused && $0.injectedAt == nil } }
    }

    /// The faults by step, in order of their first appearance.
    var steps: [Step] {
        var steps: [Step] = []
        for record in verdict.faults {
            if let index = steps.firstIndex(where: { $0.name == record.step.text && $0.kind == record.kind.text }) {
                steps[index].records.append(record)
            } else {
                steps.append(Step(name: record.step.text, kind: record.kind.text, records: [record]))
            }
        }
        return steps
    }

    /// What is known of the system after the run.
    package enum CleanUp: String, Sendable, Hashable {
        /// No fault was injected and nothing was found.
        case untouched
        /// Every fault is healed with its clean state read back, and a look for leftovers found none.
        case clean
        /// A fault's heal was not verified, or nobody looked for leftovers.
        case unverified
        case leftovers
    }

    package var cleanUp: CleanUp {
        if !verdict.leftovers.isEmpty { return .leftovers }
        if !steps.allSatisfy(\.isClean) { return .unverified }
        if verdict.faults.allSatisfy({ $0.injectedAt == nil }) { return .untouched }
        return history.leftovers == nil ? .unverified : .clean
    }

    /// The clean-up as a sentence.
    package var cleanUpSentence: String {
        switch cleanUp {
        case .untouched: return "nothing was injected, nothing had to be cleaned up"
        case .clean: return "every fault was healed, each clean state was read back, and nothing of ours was found"
        case .leftovers: return "\(verdict.leftovers.count) of our changes are still there"
        case .unverified:
            let open = verdict.faults.filter { $0.stage != .healed && $0.injectedAt != nil }
            if open.isEmpty { return "nobody looked for leftovers after the heal; run `squall leftovers`" }
            let names = open.map { "\($0.step) on \($0.target) (\($0.stage.words))" }.joined(separator: ", ")
            return "not verified as healed: \(names); run `squall heal`"
        }
    }

    /// Criteria of the file that no result exists for: the run ended before they could be judged.
    var unjudged: [String] {
        verdict.run.criteria.filter { line in
            let name = line.prefix { $0 != ":" && $0 != " " }
            return !verdict.criteria.contains { $0.name == name || $0.kind == name }
        }
    }

    /// The entries that matter most, in order of time: what a reader with half a minute wants.
    func worstEvents(_ count: Int) -> [TimelineEntry] {
        let notable = timeline.filter { $0.rank >= 2 }
        let indices = notable.indices.sorted { (notable[$1].rank, $0) < (notable[$0].rank, $1) }.prefix(count)
        return indices.sorted().map { notable[$0] }
    }
}
