package import Basics
package import Contracts
package import Experiment

/// `recovery`: how long until the steady state held again with every fault healed and verified.
package struct Recovery: Checker {
    package static let kind = "recovery"
    package static let manual = Manual(
        summary: "How long until the steady state held again and every fault was healed and verified.",
        details: """
            Counts from the fault's effect to the later of two instants: the last fault's verified heal, and the start of
            the unbroken time for which the steady state held in the settling phase. It needs no probe of its own. The
            time includes the observation before healing, so the limit must be longer than that.
            """,
        example: "recovery: {within: 5m}")
    private static let withinParameter = Parameter.required("within", .span, "the longest time to recovery that passes")
    package static let parameters: [any AnyParameter] = [withinParameter]
    package static let needs: Set<ObservationKind> = []

    package let limit: Span

    package init(from reader: inout ParameterReader) {
        limit = reader.value(Self.withinParameter)
    }

    package init(within limit: Span) {
        self.limit = limit
    }

    package var budget: OutageBudget { OutageBudget(recoveryWithin: limit) }

    package func check(_ history: History, _ subject: CheckSubject) -> CriterionResult {
        var result = subject.draft(Self.kind, limit: "<= \(limit)", unit: "s")
        do throws(Inconclusive) {
            let origin = try FaultOrigin.find(in: history, after: subject.after)
            let healed = try healing(in: history, origin, &result)
            guard let steady = try steadiness(in: history, subject, origin, &result) else { return result }
            let bounds = SpanBounds.between(
                origin.effect, InstantRange(max(healed, steady.lower), max(healed, steady.upper)))
            result.measured = bounds.upper.seconds
            result.set(bounds)
            result.samples = history.steadyStates.count { $0.phase == .settling }
            result.add("healed", (healed - origin.effect.lower).seconds, "s", "every fault healed and verified")
            result.add(
                "steady", (steady.upper - origin.effect.lower).seconds, "s", "the steady state held from here on")
            switch bounds.judged(atMost: limit) {
            case .pass: result.conclude(.pass, "healed and steady again \(bounds.upper) after the fault")
            case .fail: result.conclude(.fail, "healed and steady again only \(bounds) after the fault")
            case .inconclusive:
                result.conclude(.inconclusive, "recovered after \(bounds); the limit of \(limit) lies between")
            }
        } catch {
            result.conclude(.inconclusive, error.reason)
        }
        return result
    }

    /// When the last fault was verified as healed.
    private func healing(
        in history: History, _ origin: FaultOrigin, _ result: inout CriterionResult
    ) throws(Inconclusive) -> Instant {
        var latest = origin.effect.upper
        for fault in history.faults where fault.stage != .refused && fault.injectedAt != nil {
            guard let healedAt = fault.healedAt, fault.stage == .healed else {
                let why = fault.failure.isEmpty ? "its last stage is \(fault.stage.rawValue)" : fault.failure
                result.exceptions.append("\(fault.kind) on \(fault.target) is not healed: \(why)")
                continue
            }
            latest = max(latest, healedAt)
        }
        if let first = result.exceptions.first { throw Inconclusive(first) }
        return latest
    }

    /// From when on the steady state held: no earlier than the last break, no later than its hold time before it was
    /// judged. Concludes the result itself, and returns nil, when it did not hold.
    private func steadiness(
        in history: History, _ subject: CheckSubject, _ origin: FaultOrigin, _ result: inout CriterionResult
    ) throws(Inconclusive) -> InstantRange? {
        guard let steadyState = subject.steadyState else {
            result.add("steady-state", nil, "s", "the experiment has none: only healing is judged")
            return InstantRange(origin.effect.lower)
        }
        let settling = history.steadyStates.filter { $0.phase == .settling }
        guard let last = settling.last else { throw Inconclusive("the steady state was not judged after the heal") }
        guard last.held else {
            let elapsed = max(.zero, last.at - origin.effect.upper)
            result.lower = elapsed.seconds
            result.conclude(
                elapsed >= limit ? .fail : .inconclusive,
                "the steady state did not hold again within \(elapsed) of the fault: \(last.detail)")
            return nil
        }
        let broken = settling.last { !$0.held }?.at ?? origin.effect.lower
        return InstantRange(broken, max(broken, last.at - steadyState.holdFor))
    }
}
