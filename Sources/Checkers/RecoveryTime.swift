package import Basics
package import Contracts
package import Experiment

/// `rto`: how long clients were without service after a fault.
///
/// The judged figure is the sustained one: from the fault's effect to the first success that then holds. Its bounds are
/// the start of the last failure before it and the end of that success, widened by the interval of the fault.
package struct RecoveryTime: Checker {
    package static let kind = "rto"
    package static let manual = Manual(
        summary: "How long clients were without service after the fault.",
        details: """
            Counts from when the fault's effect was confirmed to the first success that then holds: over the hold window
            at least the given share of the arrivals must succeed. Passes only when even the upper bound is within the
            limit. The parts show the phases of the failover (detection, promotion, reconnection, fleet tail, degraded,
            exposure) as far as the run's probes can know them, and the time to the very first success. A service that
            never came back fails; a hold window that was not fully observed is inconclusive. One probe interval is the
            finest that can be resolved. An outage that begins after healing began is not counted.
            """,
        example: "rto: {probe: orders, max: 30s, hold: 10s, success: 99%}")
    private static let maxParameter = Parameter.required("max", .span, "the longest recovery time that passes")
    private static let holdParameter = Parameter.defaulted(
        "hold", .span, to: .seconds(10), written: "10s", "how long success must hold to count as recovered")
    private static let successParameter = Parameter.defaulted(
        "success", .share, to: Share(fraction: 0.99), written: "99%", "the share of arrivals that counts as service")
    package static let parameters: [any AnyParameter] = [maxParameter, holdParameter, successParameter]
    package static let needs: Set<ObservationKind> = [.operations]

    package let limit: Span
    package let hold: Span
    package let success: Share

    package init(from reader: inout ParameterReader) {
        limit = reader.value(Self.maxParameter)
        hold = reader.value(Self.holdParameter)
        success = reader.value(Self.successParameter)
        if hold == .zero, !reader.diagnostics.hasErrors {
            reader.diagnostics.error(
                "a hold of 0s would call any single success a recovery", at: reader.location(of: "hold"))
        }
    }

    package init(limit: Span, hold: Span = .seconds(10), success: Share = Share(fraction: 0.99)) {
        self.limit = limit
        self.hold = hold
        self.success = success
    }

    package var budget: OutageBudget { OutageBudget(recoveryTime: limit) }

    package func check(_ history: History, _ subject: CheckSubject) -> CriterionResult {
        var result = subject.draft(Self.kind, limit: "<= \(limit)", unit: "s")
        do throws(Inconclusive) {
            let origin = try FaultOrigin.find(in: history, after: subject.after)
            let operations = ProbeOperations(history, probe: subject.probe)
            result.samples = operations.count - operations.position(dueFrom: origin.effect.lower)
            let finder = try OutageFinder(operations, hold: hold, success: success)
            // Without a named step the whole method is one event: a later step's outage counts too.
            let horizon =
                subject.after == nil
                ? history.start(of: .healing) ?? Instant(nanoseconds: .max) : origin.horizon(in: history)
            let finding = try finder.find(
                from: origin.effect, injected: origin.fault?.injectedAt, horizon: max(horizon, origin.effect.upper))
            switch finding {
            case .none(let resolution): judgeHealthy(resolution, &result)
            case .outage(let outage):
                judge(outage, origin, history, observedUntil: operations.observedUntil, &result)
                result.parts += figures(of: outage, origin)
                result.parts +=
                    FailoverTimeline(
                        history, probe: subject.probe, operations: operations, outage: outage, effect: origin.effect,
                        hold: hold, success: success
                    ).parts
            }
        } catch {
            result.conclude(.inconclusive, error.reason)
        }
        return result
    }

    private func judgeHealthy(_ resolution: Span, _ result: inout CriterionResult) {
        let bounds = SpanBounds(.zero, resolution)
        result.measured = 0
        result.set(bounds)
        if bounds.judged(atMost: limit) == .pass {
            result.conclude(.pass, "service never failed; an outage longer than \(resolution) would have been seen")
        } else {
            result.conclude(
                .inconclusive,
                "service never failed, but an outage of up to \(resolution) could hide between two successes, more "
                    + "than the limit of \(limit): raise the probe's rate")
        }
    }

    private func judge(
        _ outage: Outage, _ origin: FaultOrigin, _ history: History, observedUntil: Instant?,
        _ result: inout CriterionResult
    ) {
        switch outage.end {
        case .recovered(let back):
            let bounds = SpanBounds.between(origin.effect, back)
            result.measured = bounds.upper.seconds
            result.set(bounds)
            let verdict = bounds.judged(atMost: limit)
            let comparison =
                switch verdict {
                case .pass: "within the limit of \(limit)"
                case .fail: "longer than the limit of \(limit)"
                case .inconclusive: "and the limit of \(limit) lies between: raise the probe's rate"
                }
            result.conclude(verdict, "service was back after \(bounds) and held for \(hold), \(comparison)")
        case .unconfirmed(let back, let held):
            let bounds = SpanBounds.between(origin.effect, back)
            result.measured = bounds.upper.seconds
            result.set(bounds)
            let what = "service was back after \(bounds), but only \(held) of the \(hold) hold window were observed"
            result.conclude(bounds.lower > limit ? .fail : .inconclusive, what)
        case .unrecovered(let lastBad):
            let healing = history.start(of: .healing)
            let isComplete = history.abort == nil && (healing.map { $0 <= observedUntil ?? $0 } ?? true)
            judgeUnrecovered(max(.zero, lastBad - origin.effect.upper), isComplete: isComplete, &result)
        }
    }

    /// Not back at the end: the time until then is a lower bound. A run or a probe cut short cannot tell a slow service
    /// from a lost one.
    private func judgeUnrecovered(_ lower: Span, isComplete: Bool, _ result: inout CriterionResult) {
        result.lower = lower.seconds
        if lower > limit {
            result.conclude(.fail, "service was still not back \(lower) after the fault; the limit is \(limit)")
        } else if isComplete {
            result.conclude(
                .fail, "service never came back: \(lower) after the fault, at the end of the run, it still failed")
        } else {
            result.conclude(.inconclusive, "the observation ended \(lower) after the fault, before service was back")
        }
    }

    private func figures(of outage: Outage, _ origin: FaultOrigin) -> [CriterionResult.Part] {
        let first = outage.firstSuccess.map { SpanBounds.between(origin.effect, $0) }
        let width = origin.effect.width
        return [
            .init(
                name: "rto-first", value: first?.upper.seconds, unit: "s",
                detail: first.map { "first success at all, \($0)" } ?? "no success after the first failure"),
            .init(
                name: "outage", value: outage.badTime.seconds, unit: "s", detail: "total time without service"),
            .init(name: "fault-interval", value: width.seconds, unit: "s", detail: "how exactly the fault is known"),
        ]
    }
}
