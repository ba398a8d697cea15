package import Basics
package import Contracts
package import Experiment

/// `replication-lag`: a percentile over time of how far replicas are behind.
package struct ReplicationLag: Checker {
    package static let kind = "replication-lag"
    package static let manual = Manual(
        summary: "A percentile over time of how far the replicas are behind.",
        details: """
            Judges the measurements that a lag probe took at a steady pace, so that the percentile is over time and not over
            writes. A replica that did not answer, or had not yet shown the row, gives a lower bound of its lag: such a
            value counts as above the limit when the bound is, and as unknown otherwise. Every node counts; the worst
            one is named.
            """,
        example: "replication-lag: {probe: lag, p99: \"<= 100ms\", phase: before}")
    private static let metricParameter = Parameter.defaulted(
        "metric", .text, to: "lag", written: "lag", "the name of the measurement, in seconds")
    package static let parameters: [any AnyParameter] =
        PercentileLimit.parameters + [metricParameter, JudgedPhase.parameter]
    package static let needs: Set<ObservationKind> = [.measurements]

    package let limits: [PercentileLimit]
    package let metric: Label
    package let phase: JudgedPhase

    package init(from reader: inout ParameterReader) {
        limits = PercentileLimit.read(&reader)
        metric = Label(reader.value(Self.metricParameter))
        phase = reader.value(JudgedPhase.parameter)
    }

    package init(limits: [PercentileLimit], metric: Label = "lag", phase: JudgedPhase = .all) {
        self.limits = limits
        self.metric = metric
        self.phase = phase
    }

    package func check(_ history: History, _ subject: CheckSubject) -> CriterionResult {
        let text = limits.map { "\($0.name) <= \($0.limit)" }.joined(separator: ", ")
        var result = subject.draft(
            Self.kind, limit: text + (phase == .all ? "" : " \(phase.rawValue)"), unit: "ms")
        do throws(Inconclusive) {
            let window = try phase.window(in: history, after: subject.after)
            let measured = history.measurements.filter {
                $0.probe == subject.probe && $0.metric == metric && $0.unit == .seconds && window.from <= $0.at
                    && $0.at < window.until
            }
            guard !measured.isEmpty else {
                throw Inconclusive("the probe measured no '\(metric)' in seconds in this phase")
            }
            let exact = OrderStatistics(measured.filter { !$0.isCensored }.map(\.value))
            let censored = measured.filter(\.isCensored).map(\.value)
            PercentileVerdict(statistics: exact, censored: censored).judge(limits, &result)
            result.add("censored", Double(censored.count), "samples", "the true lag is at least the measured one")
            reportWorst(measured, &result)
        } catch {
            result.conclude(.inconclusive, error.reason)
        }
        return result
    }

    private func reportWorst(_ measured: [Measurement], _ result: inout CriterionResult) {
        guard let worst = measured.max(by: { $0.value < $1.value }) else { return }
        let relation = worst.isCensored ? "at least " : ""
        result.add(
            "worst", worst.value * 1_000, "ms", "\(worst.node): \(relation)\(Span(seconds: worst.value))")
    }
}
