package import Basics
package import Contracts
package import Experiment

/// `throughput`: how many arrivals per second were served in a phase.
package struct Throughput: Checker {
    package static let kind = "throughput"
    package static let manual = Manual(
        summary: "How many arrivals per second were served.",
        details: """
            Counts the successful arrivals that were due in the phase and divides by its observed length. Arrivals that the
            prober's own stalls spoiled are counted once as failed and once as served; the limit must hold either way.
            """,
        example: "throughput: {probe: orders, min: 190/s, phase: before}")
    private static let minParameter = Parameter.required("min", .rate, "the lowest rate that passes")
    package static let parameters: [any AnyParameter] = [minParameter, JudgedPhase.parameter]
    package static let needs: Set<ObservationKind> = [.operations]

    package let minimum: Rate
    package let phase: JudgedPhase

    package init(from reader: inout ParameterReader) {
        minimum = reader.value(Self.minParameter)
        phase = reader.value(JudgedPhase.parameter)
    }

    package init(minimum: Rate, phase: JudgedPhase = .all) {
        self.minimum = minimum
        self.phase = phase
    }

    package func check(_ history: History, _ subject: CheckSubject) -> CriterionResult {
        let suffix = phase == .all ? "" : " \(phase.rawValue)"
        var result = subject.draft(Self.kind, limit: ">= \(minimum)\(suffix)", unit: "1/s")
        do throws(Inconclusive) {
            let window = try phase.window(in: history, after: subject.after)
            let sample = try PhaseSample(history, probe: subject.probe, window)
            result.samples = sample.operations.count
            guard sample.operations.count > 1, sample.length > .zero else {
                throw Inconclusive("one arrival makes no rate")
            }
            let (good, seconds) = (sample.good, sample.length.seconds)
            let lower = Double(good) / seconds
            let upper = Double(good + sample.stalled) / seconds
            result.measured = lower
            result.lower = lower
            result.upper = upper
            sample.report(&result)
            let counted = "\(good) served in \(sample.length)"
            if lower >= minimum.perSecond {
                result.conclude(.pass, counted)
            } else if upper < minimum.perSecond {
                result.conclude(.fail, "\(counted), below \(minimum)")
            } else {
                result.conclude(
                    .inconclusive, "\(counted); \(sample.stalled) arrivals were spoiled by the prober's stalls")
            }
        } catch {
            result.conclude(.inconclusive, error.reason)
        }
        return result
    }
}
