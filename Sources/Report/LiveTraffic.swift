internal import Basics
internal import Contracts

/// One probe's operations over the last seconds and in total: a ring of seconds, so that memory does not grow with the run.
struct LiveTraffic: Sendable {
    private struct Second: Sendable {
        var stamp: Int64 = -1
        var due = 0
        var ok = 0
        var failed = 0
        var unknown = 0
        var latencies = LatencyCounts()
    }

    /// Arrivals per second by outcome.
    struct Rates: Sendable, Hashable {
        var due = 0.0
        var ok = 0.0
        var failed = 0.0
        var unknown = 0.0
    }

    private static let seconds = 16
    private var ring = [Second](repeating: Second(), count: seconds)
    private(set) var total = 0
    private(set) var lastSuccess: Instant?
    /// The end of the newest operation that did not succeed.
    private(set) var lastMiss: Instant?
    /// Arrivals in a row that did not succeed, and when the first of them was due.
    private(set) var misses = 0
    private(set) var missesSince: Instant?
    /// Since the fault's effect.
    private(set) var dueSinceFault = 0
    private(set) var okSinceFault = 0

    /// Returns how many misses in a row this success ended.
    mutating func append(_ operation: Operation, faultAt: Instant?) -> Int {
        total += 1
        let second = operation.end.nanoseconds / 1_000_000_000
        let slot = Int(
            ((second % Int64(LiveTraffic.seconds)) + Int64(LiveTraffic.seconds)) % Int64(LiveTraffic.seconds))
        if ring[slot].stamp != second {
            ring[slot] = Second()
            ring[slot].stamp = second
        }
        ring[slot].due += 1
        ring[slot].latencies.add(operation.latency)
        if let faultAt, operation.due >= faultAt {
            dueSinceFault += 1
            if operation.outcome == .ok { okSinceFault += 1 }
        }
        switch operation.outcome {
        case .ok: ring[slot].ok += 1
        case .failed: ring[slot].failed += 1
        case .unknown: ring[slot].unknown += 1
        }
        guard operation.outcome == .ok else {
            lastMiss = operation.end
            missesSince = missesSince ?? operation.due
            misses += 1
            return 0
        }
        defer {
            misses = 0
            missesSince = nil
        }
        lastSuccess = operation.end
        return misses
    }

    /// Over the last three full seconds.
    func rates(at now: Instant) -> Rates {
        let current = now.nanoseconds / 1_000_000_000
        var rates = Rates()
        for second in ring where (current - 3..<current).contains(second.stamp) {
            rates.due += Double(second.due) / 3
            rates.ok += Double(second.ok) / 3
            rates.failed += Double(second.failed) / 3
            rates.unknown += Double(second.unknown) / 3
        }
        return rates
    }

    /// Latency from the due time over the last ten seconds, failures included; nil without operations.
    func quantile(_ share: Double, at now: Instant) -> Span? {
        let current = now.nanoseconds / 1_000_000_000
        var sum = LatencyCounts()
        for second in ring where (current - 10...current).contains(second.stamp) { sum.add(second.latencies) }
        return sum.quantile(share)
    }

    /// Share of successes over the last ten seconds; nil without operations.
    func success(at now: Instant) -> Double? {
        let current = now.nanoseconds / 1_000_000_000
        let recent = ring.filter { (current - 10...current).contains($0.stamp) }
        let due = recent.reduce(0) { $0 + $1.due }
        return due == 0 ? nil : Double(recent.reduce(0) { $0 + $1.ok }) / Double(due)
    }
}

/// Counts of latencies in sixteen steps per power of two from 1 µs up: within 4.5 per cent, in 2 KiB.
struct LatencyCounts: Sendable {
    private static let steps = 16
    private static let size = 32 * steps
    private var counts = [UInt32](repeating: 0, count: size)
    private var total = 0

    mutating func add(_ latency: Span) {
        counts[LatencyCounts.bucket(max(0, latency.nanoseconds / 1_000))] += 1
        total += 1
    }

    mutating func add(_ other: LatencyCounts) {
        for index in counts.indices { counts[index] += other.counts[index] }
        total += other.total
    }

    /// The middle of the bucket that holds rank ⌈q·n⌉.
    func quantile(_ share: Double) -> Span? {
        guard total > 0 else { return nil }
        let rank = max(1, Int((share * Double(total)).rounded(.up)))
        var seen = 0
        for (index, count) in counts.enumerated() {
            seen += Int(count)
            if seen >= rank { return .microseconds(LatencyCounts.middle(index)) }
        }
        return nil
    }

    private static func bucket(_ microseconds: Int64) -> Int {
        guard microseconds >= steps else { return Int(microseconds) }
        let exponent = 63 - microseconds.leadingZeroBitCount
        let mantissa = Int(microseconds >> (exponent - 4)) - steps
        return min(size - 1, (exponent - 3) * steps + mantissa)
    }

    private static func middle(_ bucket: Int) -> Int64 {
        guard bucket >= steps else { return Int64(bucket) }
        let exponent = bucket / steps + 3
        let width = Int64(1) << (exponent - 4)
        return (Int64(bucket % steps) + Int64(steps)) * width + width / 2
    }
}
