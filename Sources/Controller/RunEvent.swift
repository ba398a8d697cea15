package import Basics
package import Contracts

/// What happens to a run, as the state machine sees it.
package enum RunEvent: Sendable, Hashable {
    case start
    case preflightFinished(PreflightOutcome)
    /// The probes run; the baseline may be judged from now on.
    case probesStarted
    case probesFailed(String)
    /// The steady state has held for its stated time without a break.
    case steadyStateHeld(String)
    /// Every fault of the step shows its effect.
    case stepActive(String)
    /// At least one fault of the step shows no effect.
    case stepUnproven(String, reason: String)
    /// The step could not be injected; `isRefusal` when a limit forbade it.
    case stepFailed(String, reason: String, isRefusal: Bool)
    case stepHealed(String)
    case stepHealFailed(String, reason: String)
    /// The criteria's observation time is over and the service answers again, or will not within its limit.
    case observationComplete
    case stopConditionMet(String)
    case environmentFailed(String)
    case signal(CInt)
    /// Every change of the run is healed, or could not be.
    case healFinished(leftovers: Int)
    case collected
    /// A deadline asked for by `wakeAt` has passed.
    case tick
}

/// How preflight ended.
package enum PreflightOutcome: Sendable, Hashable {
    case passed
    /// A limit, a protected target, an empty selection: nothing was touched.
    case refused(String)
    /// An engine, a server or a privilege is missing: nothing was touched.
    case environment(String)
}

/// What the driver must do; the machine itself touches nothing.
package enum RunAction: Sendable, Hashable {
    case enter(Phase)
    case runPreflight
    case startProbes
    /// Begin to watch for the steady state afresh.
    case watchSteadyState(Phase)
    case recordSteadyState(Phase, held: Bool, detail: String)
    case inject(String)
    case heal(String)
    /// Evidence reads of every probe; done before the faults are healed.
    case snapshotAndHealAll
    case watchObservation
    case collect
    case recordAbort(AbortReason)
    case wakeAt(Instant)
    /// The run is over; the history is complete and may be judged.
    case finish
}
