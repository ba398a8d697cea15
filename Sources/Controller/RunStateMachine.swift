package import Basics
package import Contracts
package import Experiment

/// The life cycle of a run: takes events, returns actions, touches nothing and reads no clock.
///
/// An abort leads to healing from every state and never past it. The first signal heals and still waits for recovery;
/// the second only stops waiting.
package struct RunStateMachine: Sendable {
    /// Times the file does not state but the life cycle needs.
    package struct Timing: Sendable, Hashable {
        /// The baseline may take this long until the steady state has held.
        package var baselineLimit: Span
        /// The steady state must be back this long after the heal, or the run ends unsettled.
        package var settlingLimit: Span
        /// From the first injection to the start of healing at the latest.
        package var maxDuration: Span

        package init(baselineLimit: Span, settlingLimit: Span, maxDuration: Span) {
            self.baselineLimit = baselineLimit
            self.settlingLimit = settlingLimit
            self.maxDuration = maxDuration
        }
    }

    package private(set) var phase: Phase?
    package private(set) var abort: AbortReason?
    private let hasSteadyState: Bool
    private let hasNoMethod: Bool
    private let timing: Timing
    private var schedule: StepSchedule
    private var deadline: Instant?
    private var hasTouchedSystem = false
    private var healPending = false
    private var isObserved = false
    private var signals = 0
    private var isFinished = false

    package init(method: [Step], hasSteadyState: Bool, timing: Timing) {
        schedule = StepSchedule(method)
        self.hasSteadyState = hasSteadyState
        hasNoMethod = method.isEmpty
        self.timing = timing
    }

    package mutating func handle(_ event: RunEvent, at now: Instant) -> [RunAction] {
        if isFinished { return [] }
        switch event {
        case .start: return enter(.preflight) + [.runPreflight]
        case .preflightFinished(let outcome): return preflightFinished(outcome, at: now)
        case .probesStarted: return probesStarted(at: now)
        case .probesFailed(let reason): return abort(.environment(reason), at: now)
        case .steadyStateHeld(let detail): return steadyStateHeld(detail, at: now)
        case .stepActive, .stepUnproven, .stepFailed, .stepHealed, .stepHealFailed: return stepChanged(event, at: now)
        case .observationComplete: return observationComplete(at: now)
        case .stopConditionMet(let reason): return abort(.stopCondition(reason), at: now)
        case .environmentFailed(let reason): return abort(.environment(reason), at: now)
        case .signal(let number): return signal(number, at: now)
        case .healFinished(let leftovers): return healFinished(leftovers, at: now)
        case .collected: return finish()
        case .tick: return tick(at: now)
        }
    }

    // MARK: Before the faults

    private mutating func preflightFinished(_ outcome: PreflightOutcome, at now: Instant) -> [RunAction] {
        guard phase == .preflight else { return [] }
        switch outcome {
        case .passed: return [.startProbes]
        case .refused(let reason): return end(.refused(reason))
        case .environment(let reason): return end(.environment(reason))
        }
    }

    private mutating func probesStarted(at now: Instant) -> [RunAction] {
        guard phase == .preflight else { return [] }
        let actions = enter(.baseline)
        guard hasSteadyState else { return actions + beginInjecting(at: now) }
        deadline = now + timing.baselineLimit
        return actions + [.watchSteadyState(.baseline), .wakeAt(now + timing.baselineLimit)]
    }

    private mutating func steadyStateHeld(_ detail: String, at now: Instant) -> [RunAction] {
        switch phase {
        case .baseline:
            return [.recordSteadyState(.baseline, held: true, detail: detail)] + beginInjecting(at: now)
        case .settling:
            return [.recordSteadyState(.settling, held: true, detail: detail), .collect]
        case .preflight, .injecting, .observing, .healing, .judged, nil: return []
        }
    }

    private mutating func beginInjecting(at now: Instant) -> [RunAction] {
        deadline = now + timing.maxDuration
        return enter(.injecting) + [.wakeAt(now + timing.maxDuration)] + advance(at: now)
    }

    // MARK: While faults are there

    private mutating func stepChanged(_ event: RunEvent, at now: Instant) -> [RunAction] {
        var actions: [RunAction] = []
        switch event {
        // Unproven is confirmed for the order of steps: the fault may be there, and is healed; the verdict knows.
        case .stepActive(let name), .stepUnproven(let name, _): schedule.confirm(name, at: now)
        case .stepFailed(let name, let reason, let isRefusal):
            schedule.fail(name)
            let text = "step '\(name)': \(reason)"
            actions += abort(isRefusal ? .refused(text) : .injectionFailed(text), at: now)
        case .stepHealed(let name), .stepHealFailed(let name, _): schedule.healed(name)
        case .start, .preflightFinished, .probesStarted, .probesFailed, .steadyStateHeld, .observationComplete,
            .stopConditionMet, .environmentFailed, .signal, .healFinished, .collected, .tick:
            break
        }
        if healPending && !schedule.isInjecting { return actions + healAll() }
        return actions + advance(at: now)
    }

    private mutating func advance(at now: Instant) -> [RunAction] {
        guard phase == .injecting || phase == .observing, abort == nil else { return [] }
        let (inject, heal) = schedule.advance(to: now)
        if !inject.isEmpty { hasTouchedSystem = true }
        var actions = inject.map(RunAction.inject) + heal.map(RunAction.heal)
        if let next = schedule.nextDeadline { actions.append(.wakeAt(next)) }
        if phase == .injecting, schedule.isInjected { actions += enter(.observing) + [.watchObservation] }
        // The criteria have seen enough, and the last fault that heals by itself has just done so.
        if isObserved, schedule.hasNoTimedFault { actions += beginHealing() }
        return actions
    }

    private mutating func observationComplete(at now: Instant) -> [RunAction] {
        guard phase == .observing else { return [] }
        isObserved = true
        return advance(at: now)
    }

    // MARK: Healing and after

    private mutating func beginHealing() -> [RunAction] {
        deadline = nil
        schedule.cancelPending()
        if schedule.isInjecting {
            healPending = true
            return []
        }
        return healAll()
    }

    private mutating func healAll() -> [RunAction] {
        healPending = false
        return enter(.healing) + [.snapshotAndHealAll]
    }

    private mutating func healFinished(_ leftovers: Int, at now: Instant) -> [RunAction] {
        guard phase == .healing else { return [] }
        let actions = enter(.settling)
        // Waiting would not help, and a person must act: say so now.
        if leftovers > 0 { return actions + unsettled("\(leftovers) fault(s) could not be healed") }
        if signals >= 2 { return actions + unsettled("a second signal ended the wait") }
        guard hasSteadyState, mustSettle else { return actions + [.collect] }
        deadline = now + timing.settlingLimit
        return actions + [.watchSteadyState(.settling), .wakeAt(now + timing.settlingLimit)]
    }

    /// A run that only observes is judged by its steady state as well; one that ended before its faults is not.
    private var mustSettle: Bool { hasTouchedSystem || (hasNoMethod && abort == nil) }

    private func unsettled(_ detail: String) -> [RunAction] {
        hasSteadyState && mustSettle
            ? [.recordSteadyState(.settling, held: false, detail: detail), .collect] : [.collect]
    }

    private mutating func tick(at now: Instant) -> [RunAction] {
        if let deadline, deadline <= now {
            self.deadline = nil
            switch phase {
            case .baseline:
                let detail = "it did not hold within \(timing.baselineLimit)"
                return [.recordSteadyState(.baseline, held: false, detail: detail)]
                    + abort(.steadyStateNotReached(detail), at: now)
            case .injecting, .observing: return abort(.maxDurationReached, at: now)
            case .settling: return unsettled("it did not hold within \(timing.settlingLimit) after the heal")
            case .preflight, .healing, .judged, nil: return []
            }
        }
        return advance(at: now)
    }

    // MARK: Ends

    private mutating func abort(_ reason: AbortReason, at now: Instant) -> [RunAction] {
        let isFirst = abort == nil
        if isFirst { abort = reason }
        let record: [RunAction] = isFirst ? [.recordAbort(reason)] : []
        switch phase {
        case nil: return record + finish()
        // Probes may have created something (a ledger's schema) while preflight was still the phase: healing removes it.
        case .preflight, .baseline, .injecting, .observing: return record + beginHealing()
        case .healing, .settling, .judged: return record
        }
    }

    private mutating func signal(_ number: CInt, at now: Instant) -> [RunAction] {
        signals += 1
        if signals >= 2, phase == .settling {
            deadline = nil
            return unsettled("a second signal ended the wait")
        }
        return abort(.signal(number), at: now)
    }

    private mutating func end(_ reason: AbortReason) -> [RunAction] {
        abort = abort ?? reason
        return [.recordAbort(reason)] + finish()
    }

    private mutating func finish() -> [RunAction] {
        isFinished = true
        return enter(.judged) + [.finish]
    }

    private mutating func enter(_ next: Phase) -> [RunAction] {
        phase = next
        return [.enter(next)]
    }
}
