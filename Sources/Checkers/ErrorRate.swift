package import Basics
package import Contracts
package import Experiment

/// `error-rate`: the share of arrivals that were not served, as a statement about the service in that phase.
package struct ErrorRate: Checker {
    package static let kind = "error-rate"
    package static let manual = Manual(
        summary: "The share of arrivals that failed, got no answer or could not be sent.",
        details: """
            The arrivals of the phase are taken as a sample: the limit passes only when the one-sided 95 % Clopper-Pearson
            bound is within it, and fails only when the bound on the other side exceeds it. Without a single error, less
            than 1 % needs 299 arrivals. A limit of 0% is a statement about the observed arrivals alone: none may fail.
            """,
        example: "error-rate: {probe: orders, max: 1%, phase: before}")
    private static let maxParameter = Parameter.required("max", .share, "the highest share that passes")
    package static let parameters: [any AnyParameter] = [maxParameter, JudgedPhase.parameter]
    package static let needs: Set<ObservationKind> = [.operations]

    package let limit: Share
    package let phase: JudgedPhase

    package init(from reader: inout ParameterReader) {
        limit = reader.value(Self.maxParameter)
        phase = reader.value(JudgedPhase.parameter)
    }

    package init(limit: Share, phase: JudgedPhase = .all) {
        self.limit = limit
        self.phase = phase
    }

    package func check(_ history: History, _ subject: CheckSubject) -> CriterionResult {
        let suffix = phase == .all ? "" : " \(phase.rawValue)"
        var result = subject.draft(Self.kind, limit: "<= \(limit)\(suffix)", unit: "%")
        do throws(Inconclusive) {
            let window = try phase.window(in: history, after: subject.after)
            let sample = try PhaseSample(history, probe: subject.probe, window)
            let (count, bad) = (sample.operations.count, sample.operations.count - sample.good)
            let bounds = Binomial.bounds(bad, of: count)
            result.samples = count
            result.measured = Double(bad) / Double(count) * 100
            result.lower = bounds.lower * 100
            result.upper = bounds.upper * 100
            result.add("failed", Double(bad), "arrivals", "failed, unanswered or never sent")
            sample.report(&result)
            judge(bad, of: count, bounds, &result)
        } catch {
            result.conclude(.inconclusive, error.reason)
        }
        return result
    }

    private func judge(
        _ bad: Int, of count: Int, _ bounds: (lower: Double, upper: Double), _ result: inout CriterionResult
    ) {
        let counted = "\(bad) of \(count) arrivals failed"
        if limit.fraction == 0 {
            result.conclude(bad == 0 ? .pass : .fail, counted)
        } else if bounds.upper <= limit.fraction {
            result.conclude(.pass, "\(counted), at most \(Share(fraction: bounds.upper)) with 95 % confidence")
        } else if bounds.lower > limit.fraction {
            result.conclude(.fail, "\(counted), at least \(Share(fraction: bounds.lower)) with 95 % confidence")
        } else {
            // The same proof as a percentile: "at most this share is bad".
            let proof = PercentileProof(quantile: 1 - limit.fraction, samples: count, above: bad)
            let needed = proof.samplesNeeded.map { "; \($0) arrivals would show it" } ?? ""
            result.conclude(.inconclusive, "\(counted), which shows neither side of \(limit)\(needed)")
        }
    }
}
