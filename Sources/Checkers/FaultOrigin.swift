package import Basics
package import Contracts

/// The instant a criterion counts from: when its fault began to have effect, as an interval.
///
/// A run without any fault (the guard against false alarms) counts from the start of the injecting phase instead.
package struct FaultOrigin: Sendable, Hashable {
    package var effect: InstantRange
    /// nil in a run without faults.
    package var fault: FaultRecord?

    /// Finds the fault of step `after` (nil: the first whose effect was shown); throws when its effect was not shown.
    package static func find(in history: History, after step: Label?) throws(Inconclusive) -> FaultOrigin {
        guard let fault = history.fault(step: step) else { return try withoutFault(history, step) }
        guard let effect = fault.effectiveAt else {
            let why = fault.failure.isEmpty ? "its last stage is \(fault.stage.rawValue)" : fault.failure
            throw Inconclusive("step '\(fault.step)' on \(fault.target) has no proven effect: \(why)")
        }
        return FaultOrigin(effect: effect, fault: fault)
    }

    private static func withoutFault(_ history: History, _ step: Label?) throws(Inconclusive) -> FaultOrigin {
        if let step { throw Inconclusive("step '\(step)' never injected a fault") }
        if history.abort != nil { throw Inconclusive("the run ended before any fault was injected") }
        if let first = history.run?.steps.first {
            throw Inconclusive("no fault was injected, though the method has step '\(first)'")
        }
        guard let start = history.start(of: .injecting) else {
            throw Inconclusive("the run never reached the injecting phase")
        }
        return FaultOrigin(effect: InstantRange(start), fault: nil)
    }

    /// The last instant at which what happens is this fault's doing: healing, or the next step's fault, or the end.
    package func horizon(in history: History) -> Instant {
        let healing = history.start(of: .healing)
        let others = history.faults.lazy.filter { $0.step != self.fault?.step }.compactMap { $0.effectiveAt?.lower }
        let next = others.filter { $0 > effect.upper }.min()
        return [healing, next].compactMap(\.self).filter { $0 >= effect.upper }.min() ?? Instant(nanoseconds: .max)
    }
}
