internal import Basics
internal import Contracts
internal import Experiment
internal import Synchronization

/// How often live conditions are looked at: a quarter of a second keeps every wait short and costs nothing.
private let watchInterval = Span.milliseconds(250)

extension RunDriver {
    /// Reports when the steady state has held for its time; ends with its phase.
    func watchSteadyState(_ phase: Phase) async {
        guard let steadyState = assembly.experiment.steadyState else { return }
        var watch = ConditionWatch(steadyState, startedAt: context.time.now)
        var held = true
        await whilePhaseLasts {
            let now = self.context.time.now
            let (look, haveHeld, words) = self.recorder.withWindow { window in
                let (hold, haveHeld) = watch.look(window, at: now)
                // The same conditions with other figures are no news.
                return (hold, haveHeld, haveHeld || hold != held ? watch.read(window, at: now) : nil)
            }
            guard let words else { return true }
            if haveHeld {
                self.send(.steadyStateHeld(words.details.joined(separator: "; ")))
                return false
            }
            held = look
            let text = held ? "the steady state holds again" : words.violations.joined(separator: "; ")
            self.note("\(phase.rawValue): \(text)", .info)
            return true
        }
    }

    /// Reports when the criteria have seen enough: their windows are over, and the service answers again or never will.
    func watchObservation() async {
        let start = state.withLock { $0.faultInstant } ?? context.time.now
        let window = assembly.observationWindow
        let hopeless = assembly.recoveryTimeLimit.map { max(window, $0 + .seconds(30)) } ?? window
        await whilePhaseLasts(from: start + window) {
            let elapsed = self.context.time.now - start
            // Recovery counts from the newest fault: a service that was fine before the second one proves nothing.
            let newest = self.state.withLock { $0.newestFaultInstant } ?? start
            let isHopeless = self.context.time.now - newest >= hopeless
            if elapsed >= window, isHopeless || self.hasRecovered(since: newest) {
                self.send(.observationComplete)
                return false
            }
            return true
        }
    }

    /// Every probe with an RTO has answered at least 99 % of the arrivals of the last ten seconds.
    private func hasRecovered(since start: Instant) -> Bool {
        let now = context.time.now
        guard now - start >= .seconds(10) else { return assembly.recoveryProbes.isEmpty }
        return recorder.withWindow { window in
            assembly.recoveryProbes.allSatisfy { probe in
                let success = window.value(of: .success, probe: probe, over: .seconds(10), at: now)
                return success.flatMap(\.magnitude).map { $0 >= 0.99 } ?? false
            }
        }
    }

    /// Ends the run when a stop condition holds for its time; from the first look until the healing begins.
    func watchStopConditions() async {
        guard !assembly.experiment.stopConditions.isEmpty else { return }
        let started = context.time.now
        var watches = assembly.experiment.stopConditions.map { condition in
            let expectation = Expectation(
                probe: condition.probe, tolerance: [condition.when], location: condition.location)
            let window = min(condition.holdFor, .seconds(10))
            let watch = ConditionWatch([expectation], holdFor: condition.holdFor, window: window, startedAt: started)
            return (condition, watch)
        }
        while await pause(), isBeforeHealing {
            for index in watches.indices {
                let now = context.time.now
                let look = recorder.withWindow { window in
                    watches[index].1.look(window, at: now).haveHeld ? watches[index].1.read(window, at: now) : nil
                }
                if let look {
                    let (condition, _) = watches[index]
                    send(
                        .stopConditionMet(
                            "\(condition.probe) \(condition.when) for \(condition.holdFor): \(look.details.joined())"))
                    return
                }
            }
        }
    }

    private var isBeforeHealing: Bool {
        switch state.withLock({ $0.machine.phase }) {
        case nil, .preflight, .baseline, .injecting, .observing: true
        case .healing, .settling, .judged: false
        }
    }

    /// Calls `body` every quarter second, from the first look on, until it returns false or the phase is over.
    private func whilePhaseLasts(from first: Instant? = nil, _ body: () -> Bool) async {
        let number = state.withLock { $0.phaseNumber }
        if let first, (try? await context.time.sleep(until: first)) == nil { return }
        while state.withLock({ $0.phaseNumber }) == number, body() {
            guard await pause() else { return }
        }
    }

    private func pause() async -> Bool {
        (try? await context.time.sleep(until: context.time.now + watchInterval)) != nil
    }
}
