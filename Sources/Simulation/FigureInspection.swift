internal import Basics
internal import Checkers
internal import Contracts

/// Holds the figures of a verdict (RTO, lost writes, two primaries) against the world's truth.
struct FigureInspection {
    private(set) var violations: [String] = []
    private let history: History
    private let system: SystemState
    private let plan: WorldPlan
    private let truth: ClusterTruth
    /// Sums of nanoseconds as fractions of a second round at the last digit.
    private static let rounding = 1e-6

    init(history: History, results: [CriterionResult], system: SystemState, plan: WorldPlan) {
        self.history = history
        self.system = system
        self.plan = plan
        truth = system.cluster.truth
        for result in results {
            switch result.kind {
            case RecoveryTime.kind: inspectRecovery(result)
            case DataLoss.kind: inspectLoss(result)
            case SplitBrain.kind: inspectSplit(result)
            default: break
            }
        }
    }

    // MARK: Loss

    private mutating func inspectLoss(_ result: CriterionResult) {
        guard let lower = result.lower, let upper = result.upper, let lost = truth.lostAtRead else { return }
        if Double(lost) < lower || Double(lost) > upper {
            violations.append("\(lost) acknowledged writes are gone, reported: \(Int(lower)) to \(Int(upper))")
        }
        if result.verdict == .fail, result.reason.contains("reported as failed") || result.reason.contains("nobody") {
            violations.append("the ledger accuses an innocent cluster: \(result.reason)")
        }
    }

    // MARK: Two primaries

    private mutating func inspectSplit(_ result: CriterionResult) {
        guard let lower = result.lower, let upper = result.upper, let first = history.states.first?.sent else { return }
        let last = history.states.reduce(first) { max($0, $1.sent) }
        func total(longerThan least: Span) -> Double {
            truth.duals.reduce(0.0) { sum, dual in
                let length = min(dual.upper, last) - max(dual.lower, first)
                return sum + (length > least ? length.seconds : 0)
            }
        }
        let (all, seen) = (total(longerThan: .zero), total(longerThan: plan.probes.looksEvery * 2))
        // Half a look at each end may be outside of what was seen, and what is shorter than a look as a whole.
        if lower > all + plan.probes.looksEvery.seconds || upper < seen - Self.rounding {
            violations.append("two primaries for \(seen) s of \(all) s, reported: \(lower) to \(upper) s")
        }
    }

    // MARK: Recovery

    private mutating func inspectRecovery(_ result: CriterionResult) {
        // Nobody knows what a prober missed that stood still for as long as service must hold.
        let isBlind = history.stalls.contains { $0.to - $0.from >= plan.hold }
        guard plan.character.losesAcknowledgement == nil, !isBlind, let fault = history.fault(step: nil),
            let effect = fault.effectiveAt, let start = system.cause(of: fault, within: effect),
            let lower = result.lower
        else { return }
        guard let upper = result.upper else { return inspectUnrecovered(lower, from: start) }
        if result.parts.isEmpty { return inspectHealthy(upper, effect) }
        let ends = recoveries(after: effect)
        // Nothing was lost after the fault: a write that had hung before it may have ended then.
        let isTrue =
            ends.isEmpty && lower == 0
            || ends.contains { end in
                let real = (end - start).seconds
                return lower - Self.rounding <= max(0, real) && real <= upper + Self.rounding
            }
        if !isTrue {
            let real = ends.map { "\(($0 - start).seconds)" }.joined(separator: " or ")
            violations.append("service was back after \(real) s, reported: \(lower) to \(upper) s")
        }
    }

    private mutating func inspectUnrecovered(_ lower: Double, from start: Instant) {
        let isTrue = truth.outages.contains { ($0.upper - start).seconds >= lower - Self.rounding }
        if !isTrue { violations.append("service was back before \(lower) s, and reported as still away") }
    }

    private mutating func inspectHealthy(_ resolution: Double, _ effect: InstantRange) {
        let healing = history.start(of: .healing) ?? ClusterTruth.open
        let last = history.operations.last?.due ?? effect.lower
        for outage in truth.outages {
            let length = (min(outage.upper, healing, last) - max(outage.lower, effect.lower)).seconds
            if length > resolution + Self.rounding {
                violations.append("service was away for \(length) s, reported: at most \(resolution) s")
            }
        }
    }

    /// When service was back for good after the outage that follows the fault. More than one answer when an outage was
    /// too short to be seen for certain, or a pause between two outages about as long as the hold window.
    private func recoveries(after effect: InstantRange) -> [Instant] {
        let horizon = max(history.start(of: .healing) ?? ClusterTruth.open, effect.upper)
        // A write that was under way belongs to the outage that it runs into.
        let margin = plan.probes.leg * 4 + .milliseconds(10)
        let observed = history.operations.last?.due ?? effect.upper
        let outages = truth.outages.filter { $0.upper >= effect.lower && $0.lower <= observed }
        var ends: [Instant] = []
        for (index, outage) in outages.enumerated() where outage.lower - margin <= horizon {
            ends += chain(from: index, in: outages)
            if isVisible(outage) { break }
        }
        return ends
    }

    /// Long enough, while the prober was at work, that at least one write must have failed.
    private func isVisible(_ outage: InstantRange) -> Bool {
        let stalled = history.stalls.reduce(Span.zero) { sum, stall in
            sum + max(.zero, min(stall.to, outage.upper) - max(stall.from, outage.lower))
        }
        return outage.width - stalled >= plan.probes.every + plan.probes.timeout + .milliseconds(100)
    }

    private func chain(from index: Int, in outages: [InstantRange]) -> [Instant] {
        let hold = plan.hold
        let slack = plan.probes.every + plan.probes.leg * 4 + plan.probes.timeout
        var ends: [Instant] = []
        for next in index..<outages.count {
            guard next + 1 < outages.count else { return ends + [outages[next].upper] }
            let gap = outages[next + 1].lower - outages[next].upper
            let mayEnd = gap >= hold - slack || !isVisible(outages[next + 1])
            if mayEnd { ends.append(outages[next].upper) }
            if gap > hold + slack { return ends }
        }
        return ends
    }
}
