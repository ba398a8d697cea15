internal import Basics
package import Contracts
package import Experiment

/// `latency`: a percentile of what clients waited, from when each arrival was due.
package struct Latency: Checker {
    package static let kind = "latency"
    package static let manual = Manual(
        summary: "A percentile of what clients waited, counted from when each arrival was due.",
        details: """
            A limit passes only when it is shown without any assumption on the distribution: with k of n arrivals above
            the limit, k or fewer must be unlikely (5 %) if the percentile were at the limit. So a P99 needs 299 arrivals
            at least, a P95 59. An arrival that failed, got no answer or could not be sent was not served within any
            limit and counts as above it. Arrivals that the prober's own stalls spoiled are left out and reported.
            """,
        example: "latency: {probe: orders, p99: \"<= 100ms\", phase: before}")
    package static let parameters: [any AnyParameter] = PercentileLimit.parameters + [JudgedPhase.parameter]
    package static let needs: Set<ObservationKind> = [.operations]

    package let limits: [PercentileLimit]
    package let phase: JudgedPhase

    package init(from reader: inout ParameterReader) {
        limits = PercentileLimit.read(&reader)
        phase = reader.value(JudgedPhase.parameter)
    }

    package init(limits: [PercentileLimit], phase: JudgedPhase = .all) {
        self.limits = limits
        self.phase = phase
    }

    private var limitText: String {
        limits.map { "\($0.name) <= \($0.limit)" }.joined(separator: ", ") + (phase == .all ? "" : " \(phase.rawValue)")
    }

    package func check(_ history: History, _ subject: CheckSubject) -> CriterionResult {
        var result = subject.draft(Self.kind, limit: limitText, unit: "ms")
        do throws(Inconclusive) {
            let window = try phase.window(in: history, after: subject.after)
            let sample = try PhaseSample(history, probe: subject.probe, window)
            var latencies: [Double] = []
            latencies.reserveCapacity(sample.operations.count)
            for operation in sample.operations where operation.isGood { latencies.append(operation.latency.seconds) }
            let statistics = OrderStatistics(latencies, unserved: sample.operations.count - latencies.count)
            PercentileVerdict(statistics: statistics).judge(limits, &result)
            result.add("not-served", Double(statistics.unserved), "arrivals", "failed, unanswered or never sent")
            sample.report(&result)
        } catch {
            result.conclude(.inconclusive, error.reason)
        }
        return result
    }
}
