package import Basics
internal import Contracts

/// What clients saw of one outage after a fault.
package struct Outage: Sendable, Hashable {
    /// How it ended, as far as the history shows.
    package enum End: Sendable, Hashable {
        /// Service came back within this interval and then held for the whole hold window.
        case recovered(InstantRange)
        /// Service came back within this interval, but the observation ended before the hold window did.
        case unconfirmed(InstantRange, heldFor: Span)
        /// No success that held: the last arrival known to be bad began at this instant.
        case unrecovered(lastBad: Instant)
    }

    /// The first failed operation, from its start to its end.
    package var onset: InstantRange
    /// The first success after the onset: from the start of the last failure before it to its own end.
    package var firstSuccess: InstantRange?
    package var end: End
    /// Total length of the slots in which too few arrivals succeeded, up to the end of the observation.
    package var badTime: Span

    /// The same outage, when service may have been back already from `instant` on: nil, it cannot have been.
    func orOver(from instant: Instant?) -> Outage {
        guard let instant else { return self }
        var outage = self
        switch end {
        case .recovered(let back): outage.end = .recovered(InstantRange(min(instant, back.lower), back.upper))
        case .unconfirmed(let back, let held):
            outage.end = .unconfirmed(InstantRange(min(instant, back.lower), back.upper), heldFor: held)
        case .unrecovered(let lastBad): outage.end = .unrecovered(lastBad: min(instant, lastBad))
        }
        return outage
    }
}

/// What the operations after a fault say: an outage, or none down to a resolution.
package enum OutageFinding: Sendable, Hashable {
    case outage(Outage)
    /// No outage; one shorter than `resolution` could hide between two successes.
    case none(resolution: Span)
}

/// Finds the outage that follows a fault in one linear pass.
///
/// An outage begins with the first bad arrival from which on success stays below the threshold for the hold window, or
/// with three bad arrivals in a row, whichever is first; single failures in good service are noise. It ends with the
/// first good arrival from which on success reaches the threshold over the hold window (`research` 1.4, rto_sustained).
package struct OutageFinder: Sendable {
    /// Fewer arrivals than this in a hold window cannot carry a statement.
    package static let fewestArrivals = 10
    private static let runLength = 3

    private let operations: ProbeOperations
    private let hold: Span
    private let success: Double
    /// Good arrivals before each position.
    private let goodBefore: [Int32]

    /// Throws when the probe has no samples, or too few per hold window for any statement.
    package init(_ operations: ProbeOperations, hold: Span, success: Share) throws(Inconclusive) {
        guard operations.count > 1 else { throw Inconclusive("the probe recorded no operations") }
        let perHold = operations.interval == .zero ? 0 : hold.nanoseconds / operations.interval.nanoseconds
        guard perHold >= Self.fewestArrivals else {
            throw Inconclusive(
                "the hold window of \(hold) holds \(perHold) arrivals at one per \(operations.interval); "
                    + "\(Self.fewestArrivals) are needed: raise the probe's rate or the hold")
        }
        var counts: [Int32] = []
        counts.reserveCapacity(operations.count + 1)
        var good: Int32 = 0
        counts.append(0)
        for operation in operations {
            if operation.isGood { good += 1 }
            counts.append(good)
        }
        self.operations = operations
        self.hold = hold
        self.success = success.fraction
        goodBefore = counts
    }

    /// - Parameters:
    ///   - effect: when the fault began to have effect.
    ///   - injected: when it was injected, which may have hurt before the effect could be shown; nil: at the effect.
    ///   - horizon: an outage that begins at or after this instant is not this fault's.
    package func find(
        from effect: InstantRange, injected: Instant? = nil, horizon: Instant
    ) throws(Inconclusive) -> OutageFinding {
        let touched = min(injected ?? effect.lower, effect.lower)
        // Operations in flight at the fault were due before it; no timeout of a probe is longer than a minute.
        var start = operations.position(dueFrom: effect.lower - .minutes(1))
        let end = operations.position(dueFrom: horizon)
        var earlier: (outage: Outage, back: InstantRange)?
        while let onset = onset(in: start..<max(start, end), after: effect.lower) {
            let found = outage(from: onset)
            switch found.end {
            case .recovered(let back), .unconfirmed(let back, _):
                if back.upper <= effect.lower {
                    // A write that had hung since before: service was back when the fault came.
                    start = onset + 1
                } else if earlier == nil, back.lower <= effect.lower, wasAway(at: touched, before: onset) {
                    // Service was away before the fault came, and may have been back by then: that hides no later one.
                    earlier = (found, back)
                    start = max(onset + 1, operations.position(dueFrom: back.upper))
                } else {
                    return .outage(found.orOver(from: earlier?.back.lower))
                }
            case .unrecovered: return .outage(found.orOver(from: earlier?.back.lower))
            }
        }
        if let earlier { return .outage(earlier.outage) }
        try requireObservation(of: effect, until: horizon)
        return .none(resolution: resolution(from: effect.lower, until: horizon))
    }

    // MARK: Onset

    private func onset(in positions: Range<Int>, after effect: Instant) -> Int? {
        var windowEnd = positions.lowerBound
        for position in positions {
            let operation = operations[position]
            guard !operation.isGood, operation.end >= effect else { continue }
            windowEnd = advance(windowEnd, from: position)
            if share(position..<windowEnd) < success || isRun(at: position) { return position }
        }
        return nil
    }

    /// Whether an operation of the same outage had failed already at `instant`.
    private func wasAway(at instant: Instant, before onset: Int) -> Bool {
        for position in stride(from: onset - 1, through: 0, by: -1) {
            if operations[position].isGood { return false }
            if operations[position].end < instant { return true }
        }
        return false
    }

    private func isRun(at position: Int) -> Bool {
        let last = position + Self.runLength
        return last <= operations.count && goodBefore[last] == goodBefore[position]
    }

    // MARK: Recovery

    private func outage(from onset: Int) -> Outage {
        let first = operations[onset]
        return Outage(
            onset: InstantRange(first.began, first.end), firstSuccess: firstSuccess(after: onset),
            end: sustained(after: onset), badTime: badTime(from: onset))
    }

    /// The success with the earliest end among those that began after the onset.
    private func firstSuccess(after onset: Int) -> InstantRange? {
        let began = operations[onset].began
        var earliest: Instant?
        for position in (onset + 1)..<max(onset + 1, operations.count) {
            let operation = operations[position]
            if let earliest, operation.due > earliest { break }
            if operation.isGood, operation.began > began { earliest = min(earliest ?? operation.end, operation.end) }
        }
        return earliest.map { InstantRange(lastBad(from: onset, before: $0), $0) }
    }

    private func sustained(after onset: Int) -> Outage.End {
        let observed = operations.observedUntil ?? operations[onset].end
        var windowEnd = onset
        // Where service may have been back and held while the prober stood still.
        var possible: Instant?
        for position in onset..<operations.count where operations[position].isGood {
            windowEnd = advance(windowEnd, from: position)
            guard share(position..<windowEnd) >= success else { continue }
            let due = operations[position].due
            var back = recovery(at: position, windowEnd: windowEnd, onset: onset)
            if let possible { back = InstantRange(min(possible, back.lower), back.upper) }
            if due + hold > observed { return .unconfirmed(back, heldFor: observed - due) }
            // A window thinned out by stalls shows nothing.
            if windowEnd - position >= Self.fewestArrivals { return .recovered(back) }
            possible = possible ?? back.lower
        }
        return .unrecovered(lastBad: possible ?? lastKnownBad(from: onset, before: Instant(nanoseconds: .max)))
    }

    private func recovery(at position: Int, windowEnd: Int, onset: Int) -> InstantRange {
        var earliest = operations[position].end
        for later in position..<windowEnd {
            let operation = operations[later]
            if operation.due > earliest { break }
            if operation.isGood { earliest = min(earliest, operation.end) }
        }
        return InstantRange(lastKnownBad(from: onset, before: earliest), earliest)
    }

    /// The same as `lastBad`, unless the prober stood still for a whole hold window in between: then service may have
    /// been back in that time, and held.
    private func lastKnownBad(from onset: Int, before instant: Instant) -> Instant {
        var position = onset
        while position + 1 < operations.count, operations[position + 1].due < instant {
            if operations[position + 1].due - operations[position].due >= hold {
                return lastBad(from: onset, before: operations[position + 1].due)
            }
            position += 1
        }
        return lastBad(from: onset, before: instant)
    }

    /// The latest start of a failed operation before `instant`: until then at least, service was not back.
    private func lastBad(from onset: Int, before instant: Instant) -> Instant {
        var latest = operations[onset].began
        for position in onset..<operations.count {
            let operation = operations[position]
            if operation.due >= instant { break }
            if !operation.isGood, operation.began < instant { latest = max(latest, operation.began) }
        }
        return latest
    }

    // MARK: Measures

    /// Slots of one interval whose arrivals succeeded too rarely, from the onset on.
    private func badTime(from onset: Int) -> Span {
        var bad = Span.zero
        var position = onset
        while position < operations.count {
            let due = operations[position].due
            var next = position + 1
            while next < operations.count, operations[next].due == due { next += 1 }
            if share(position..<next) < success { bad += operations.interval }
            position = next
        }
        return bad
    }

    /// The longest outage that the successes leave room for: one may begin as soon as a success began and last until
    /// the earliest end of a later one.
    private func resolution(from effect: Instant, until horizon: Instant) -> Span {
        let positions = operations.positions(from: effect, until: horizon)
        let first = max(0, positions.lowerBound - 1)
        var longest = Span.zero
        var earliestEnd: Instant?
        for position in stride(from: operations.count - 1, through: first, by: -1) {
            let operation = operations[position]
            guard operation.isGood else { continue }
            if position < positions.upperBound, let earliestEnd {
                longest = max(longest, earliestEnd - max(operation.began, effect))
            }
            earliestEnd = min(earliestEnd ?? operation.end, operation.end)
        }
        return max(longest, operations.interval)
    }

    private func requireObservation(of effect: InstantRange, until horizon: Instant) throws(Inconclusive) {
        let observed = min(operations.observedUntil ?? effect.lower, horizon)
        guard observed >= effect.upper + hold else {
            throw Inconclusive(
                "no outage was seen, but only \(max(.zero, observed - effect.upper)) after the fault were observed; "
                    + "the hold window is \(hold)")
        }
        let arrivals = operations.positions(from: effect.upper, until: effect.upper + hold).count
        guard arrivals >= Self.fewestArrivals else {
            throw Inconclusive("only \(arrivals) usable arrivals in the \(hold) after the fault")
        }
    }

    /// The first position due after the hold window that starts at `position`.
    private func advance(_ windowEnd: Int, from position: Int) -> Int {
        var windowEnd = max(windowEnd, position)
        let limit = operations[position].due + hold
        while windowEnd < operations.count, operations[windowEnd].due <= limit { windowEnd += 1 }
        return windowEnd
    }

    private func share(_ range: Range<Int>) -> Double {
        range.isEmpty ? 1 : Double(goodBefore[range.upperBound] - goodBefore[range.lowerBound]) / Double(range.count)
    }
}
