package import Basics
package import Experiment

/// Which step is injected when, and which heals by itself: pure bookkeeping over the method.
///
/// A step starts when all it waits for is confirmed, plus its delay; by default it waits for the step before it.
package struct StepSchedule: Sendable {
    package enum State: Sendable, Hashable {
        case waiting
        /// Everything it waits for is confirmed; it starts at this instant.
        case due(Instant)
        case injecting
        /// It heals by itself at this instant; nil: in the healing phase.
        case active(healAt: Instant?)
        case healing
        case done
        case failed
    }

    private let steps: [Step]
    private let predecessors: [String: [String]]
    package private(set) var states: [String: State]

    package init(_ steps: [Step]) {
        self.steps = steps
        states = Dictionary(steps.map { ($0.name, State.waiting) }) { first, _ in first }
        var predecessors: [String: [String]] = [:]
        for (index, step) in steps.enumerated() {
            predecessors[step.name] = step.startAfter ?? (index == 0 ? [] : [steps[index - 1].name])
        }
        self.predecessors = predecessors
    }

    /// Every step is active, done or failed: nothing more will be injected.
    package var isInjected: Bool {
        states.values.allSatisfy { state in
            switch state {
            case .waiting, .due, .injecting: false
            case .active, .healing, .done, .failed: true
            }
        }
    }

    /// No step will heal by itself any more.
    package var hasNoTimedFault: Bool {
        states.values.allSatisfy { state in
            switch state {
            case .active(let healAt): healAt == nil
            case .waiting, .due, .injecting, .healing: false
            case .done, .failed: true
            }
        }
    }

    /// A fault is being injected right now: healing must wait for it, or it would heal what is not there yet.
    package var isInjecting: Bool { states.values.contains(.injecting) }

    package mutating func confirm(_ name: String, at now: Instant) {
        guard states[name] == .injecting else { return }
        let step = steps.first { $0.name == name }
        states[name] = .active(healAt: step?.duration.map { now + $0 })
    }

    package mutating func fail(_ name: String) { states[name] = .failed }
    package mutating func healed(_ name: String) { states[name] = .done }

    /// Drops whatever has not started: after an abort nothing new is injected.
    package mutating func cancelPending() {
        for (name, state) in states {
            switch state {
            case .waiting, .due: states[name] = .failed
            case .injecting, .active, .healing, .done, .failed: break
            }
        }
    }

    /// What must start and what must heal at `now`, in file order.
    package mutating func advance(to now: Instant) -> (inject: [String], heal: [String]) {
        var inject: [String] = []
        var heal: [String] = []
        for step in steps {
            if states[step.name] == .waiting, isReady(step.name) { states[step.name] = .due(now + step.delay) }
            switch states[step.name] {
            case .due(let start) where start <= now:
                states[step.name] = .injecting
                inject.append(step.name)
            case .active(let healAt?) where healAt <= now:
                states[step.name] = .healing
                heal.append(step.name)
            case .waiting, .due, .injecting, .active, .healing, .done, .failed, nil: break
            }
        }
        return (inject, heal)
    }

    /// The next instant at which something becomes due.
    package var nextDeadline: Instant? {
        states.values.compactMap { state in
            switch state {
            case .due(let start): start
            case .active(let healAt): healAt
            case .waiting, .injecting, .healing, .done, .failed: nil
            }
        }.min()
    }

    private func isReady(_ name: String) -> Bool {
        (predecessors[name] ?? []).allSatisfy { predecessor in
            switch states[predecessor] {
            case .active, .healing, .done: true
            case .waiting, .due, .injecting, .failed, nil: false
            }
        }
    }
}
