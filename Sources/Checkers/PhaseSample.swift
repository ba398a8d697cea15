internal import Basics
internal import Contracts

/// The operations of one probe within a phase, with what the prober's stalls took out of it.
struct PhaseSample {
    let operations: Slice<ProbeOperations>
    let stalled: Int
    /// From the first arrival's due instant to one interval after the last.
    let length: Span

    /// More than this share of spoiled arrivals, and what is left may not be typical any more.
    private static let largestStalledShare = 0.05

    init(_ history: History, probe: Label, _ window: (from: Instant, until: Instant)) throws(Inconclusive) {
        let all = ProbeOperations(history, probe: probe, spoiled: .everything)
        operations = all[all.positions(from: window.from, until: window.until)]
        stalled = all.stalled.count { window.from <= $0 && $0 < window.until }
        guard let first = operations.first, let last = operations.last else {
            throw Inconclusive("the probe recorded no operations in this phase")
        }
        length = last.due - first.due + all.interval
        let total = operations.count + stalled
        guard Double(stalled) <= Self.largestStalledShare * Double(total) else {
            throw Inconclusive(
                "the prober stood still for \(stalled) of \(total) arrivals: the rest may not be typical")
        }
    }

    var good: Int { operations.count { $0.isGood } }

    func report(_ result: inout CriterionResult) {
        if stalled > 0 { result.add("stalled", Double(stalled), "arrivals", "left out: the prober stood still") }
    }
}
