package import Basics
package import Contracts
internal import Experiment

/// The part of a run that a criterion is about.
package enum JudgedPhase: String, Sendable, Hashable, CaseIterable {
    /// From the first observation to the last.
    case all
    /// Until the fault had effect.
    case before
    /// From the fault's effect until healing began, or until this fault was healed, whichever came first.
    case during
    /// From then on.
    case recovery

    static let parameter = Parameter.defaulted(
        "phase", .choice(JudgedPhase.all), to: .all, written: "all",
        "which part of the run is judged: all, before the fault, during it, or recovery (from the heal on)")

    /// The phase's interval; throws when its fault was not shown or the phase was never reached.
    package func window(in history: History, after step: Label?) throws(Inconclusive) -> (from: Instant, until: Instant)
    {
        let origin = try FaultOrigin.find(in: history, after: step)
        let (first, last) = (Instant(nanoseconds: .min), Instant(nanoseconds: .max))
        let heal = [history.start(of: .healing), origin.fault?.healedAt].compactMap(\.self).min()
        switch self {
        case .all: return (first, last)
        case .before: return (first, origin.effect.lower)
        case .during: return (origin.effect.lower, heal ?? last)
        case .recovery:
            guard let heal else { throw Inconclusive("the run never reached the healing phase") }
            return (heal, last)
        }
    }
}
