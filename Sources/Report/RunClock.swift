package import Basics
package import Contracts

/// Turns instants of the monotonic clock into what people read: seconds since the run began or since the fault, and dates.
package struct RunClock: Sendable {
    /// When the run began.
    package var start: Instant
    /// When it ended; the last instant known.
    package var end: Instant
    /// Time zero of the charts: the first proven effect of a fault, else the start of the run.
    package var origin: Instant
    /// Whether `origin` is a fault's effect.
    package var startsAtFault: Bool
    private var wall: WallInstant

    package init(_ verdict: RunVerdict, _ history: History) {
        start = verdict.run.startedAt
        end = max(verdict.endedAt, history.lastInstant ?? start, start)
        wall = verdict.run.startedAtWall
        let effect = history.faults.compactMap { $0.effectiveAt?.upper }.min()
        origin = effect ?? start
        startsAtFault = effect != nil
    }

    /// Calendar time, from the one pair of clock readings at the start: a clock that steps cannot reorder events.
    package func date(_ instant: Instant) -> WallInstant {
        WallInstant(nanoseconds: wall.nanoseconds + (instant - start).nanoseconds)
    }

    /// Seconds since the run began.
    package func seconds(_ instant: Instant) -> Double { (instant - start).seconds }

    /// `+17.350 s` from the fault.
    package func offset(_ instant: Instant, places: Int = 3) -> String {
        Figure.offset(instant - origin, places: places)
    }

    package var duration: Span { end - start }
}

extension History {
    /// The newest instant of any observation: a run that was killed has no end of its own.
    fileprivate var lastInstant: Instant? {
        // Lists are in order of arrival, so the newest of the long ones stand at their ends.
        let newest = [
            operations.last?.end, states.last?.end, measurements.last?.at, readBacks.last?.at, stalls.last?.to,
            notes.last?.at, steadyStates.last?.at, phases.last?.at, abort?.at, endedAt,
        ]
        return (newest + faults.map(\.healedAt) + faults.map { $0.effectiveAt?.upper }).compactMap(\.self).max()
    }
}
