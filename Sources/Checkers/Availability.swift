package import Basics
package import Contracts
package import Experiment

/// `availability`: which share of what was due in a window after the fault was served.
///
/// The claim is about this very window, not about a population it was drawn from: the share is counted exactly over the
/// arrivals that were due. Arrivals that say nothing (the prober stood still, the window was not observed to its end)
/// are counted once as bad and once as good, and the limit must hold either way.
package struct Availability: Checker {
    package static let kind = "availability"
    package static let manual = Manual(
        summary: "Which share of the arrivals due in the window after the fault was served.",
        details: """
            Counts from the fault's effect. An arrival that failed, got no answer or could not be sent counts against the
            share. By default every arrival counts the same; with `per: time` the window is cut into slots of 100 ms (or
            one probe interval, if that is longer) and a slot is good when 99 % of its arrivals are. The window must be
            able to hold the recovery time that the experiment allows: 70 % of 2 minutes is an outage budget of 36 s.
            A window that was not observed to its end is inconclusive, unless the limit is missed whatever came later.
            """,
        example: "availability: {probe: orders, min: 70%, window: 2m}")

    /// What a share is counted over.
    package enum Unit: String, Sendable, Hashable, CaseIterable {
        case request
        case time
    }

    private static let minParameter = Parameter.required("min", .share, "the lowest share that passes")
    private static let windowParameter = Parameter.required(
        "window", .span, "how long after the fault's effect is counted")
    private static let perParameter = Parameter.defaulted(
        "per", .choice(Unit.request), to: .request, written: "request", "count arrivals, or slots of time")
    package static let parameters: [any AnyParameter] = [minParameter, windowParameter, perParameter]
    package static let needs: Set<ObservationKind> = [.operations]

    package let minimum: Share
    package let window: Span
    package let unit: Unit

    package init(from reader: inout ParameterReader) {
        minimum = reader.value(Self.minParameter)
        window = reader.value(Self.windowParameter)
        unit = reader.value(Self.perParameter)
        if window == .zero, !reader.diagnostics.hasErrors {
            reader.diagnostics.error("a window of 0s holds no arrival", at: reader.location(of: "window"))
        }
    }

    package init(minimum: Share, window: Span, unit: Unit = .request) {
        self.minimum = minimum
        self.window = window
        self.unit = unit
    }

    package var budget: OutageBudget { OutageBudget(availability: minimum, window: window) }

    package func check(_ history: History, _ subject: CheckSubject) -> CriterionResult {
        var result = subject.draft(Self.kind, limit: ">= \(minimum) over \(window)", unit: "%")
        do throws(Inconclusive) {
            let origin = try FaultOrigin.find(in: history, after: subject.after)
            let operations = ProbeOperations(history, probe: subject.probe)
            let start = origin.effect.lower
            let coverage = ArrivalCoverage(operations, from: start, until: start + window)
            result.samples = coverage.usable
            guard coverage.usable > 0 else { throw Inconclusive("the probe recorded no operations in the window") }
            let bounds = report(operations, coverage, from: start, &result)
            judge(coverage, bounds, &result)
        } catch {
            result.conclude(.inconclusive, error.reason)
        }
        return result
    }

    /// Fills in the figures and returns the bounds that decide.
    private func report(
        _ operations: ProbeOperations, _ coverage: ArrivalCoverage, from start: Instant,
        _ result: inout CriterionResult
    ) -> (lower: Double, upper: Double) {
        let slots = TimeSlots(operations, from: start, until: start + window)
        let byRequest = (lower: coverage.lower, upper: coverage.upper)
        let byTime = (lower: slots.lower, upper: slots.upper)
        let (share, bounds) = unit == .request ? (coverage.share, byRequest) : (slots.share, byTime)
        result.measured = share.map { $0 * 100 }
        result.lower = bounds.lower * 100
        result.upper = bounds.upper * 100
        result.add(
            "per-request", coverage.share.map { $0 * 100 }, "%", "\(coverage.good) of \(coverage.usable) arrivals")
        result.add("per-time", slots.share.map { $0 * 100 }, "%", "\(slots.good) of \(slots.observed) slots")
        let interval = Binomial.bounds(coverage.good, of: coverage.usable, significance: 0.025)
        result.add("interval-lower", interval.lower * 100, "%", "Clopper-Pearson 95 %, if these arrivals were a sample")
        result.add("interval-upper", interval.upper * 100, "%", "Clopper-Pearson 95 %, if these arrivals were a sample")
        result.add("stalled", Double(coverage.stalled), "arrivals", "not charged: the prober stood still")
        result.add("missing", Double(coverage.missing), "arrivals", "planned, and not observed")
        return bounds
    }

    private func judge(
        _ coverage: ArrivalCoverage, _ bounds: (lower: Double, upper: Double), _ result: inout CriterionResult
    ) {
        let limit = minimum.fraction
        let share = Share(fraction: (result.measured ?? 0) / 100)
        // Shares are counts divided by counts: half a millionth absorbs the rounding of the limit's own decimals.
        let rounding = 5e-10
        if bounds.upper < limit - rounding {
            result.conclude(
                .fail, "\(share) served, below \(minimum): \(coverage.usable - coverage.good) arrivals failed")
        } else if coverage.unobserved > .zero {
            result.conclude(
                .inconclusive,
                "\(coverage.unobserved) of the \(window) window were not observed: let the run observe longer")
        } else if bounds.lower >= limit - rounding {
            result.conclude(.pass, "\(share) of \(coverage.usable) due arrivals were served")
        } else {
            let why = coverage.stalled > 0 ? "prober stalled" : "the probe left gaps"
            result.conclude(
                .inconclusive,
                "\(why): \(coverage.stalled + coverage.missing) arrivals say nothing, and the limit of \(minimum) "
                    + "depends on them")
        }
    }
}
