package import Basics
internal import Contracts

/// A window cut into equal slots of time, each good when 99 % of its arrivals are.
package struct TimeSlots: Sendable, Hashable {
    package var good = 0
    /// Slots with at least one usable arrival.
    package var observed = 0
    package var planned = 0

    private static let threshold = 0.99
    private static let shortest = Span.milliseconds(100)

    package init(_ operations: ProbeOperations, from start: Instant, until end: Instant) {
        let width = max(operations.interval, Self.shortest)
        planned = Int(((end - start).nanoseconds + width.nanoseconds - 1) / width.nanoseconds)
        var position = operations.position(dueFrom: start)
        for slot in 0..<planned {
            let limit = min(end, start + width * Int64(slot + 1))
            var (arrivals, served) = (0, 0)
            while position < operations.count, operations[position].due < limit {
                arrivals += 1
                served += operations[position].isGood ? 1 : 0
                position += 1
            }
            guard arrivals > 0 else { continue }
            observed += 1
            if Double(served) >= Self.threshold * Double(arrivals) { good += 1 }
        }
    }

    package var share: Double? { observed > 0 ? Double(good) / Double(observed) : nil }
    package var lower: Double { planned > 0 ? Double(good) / Double(planned) : 0 }
    package var upper: Double { planned > 0 ? Double(good + planned - observed) / Double(planned) : 1 }
}
