package import Basics
package import Contracts

/// What clients saw on one way to the system: counts by outcome, latencies from the due time, and the gaps without a success.
package struct PathStatistics: Sendable {
    /// A stretch of arrivals none of which succeeded.
    package struct Gap: Sendable, Hashable {
        /// When the first of them was due.
        package var from: Instant
        /// When the first success after them came back; nil: none did before the run ended.
        package var to: Instant?
        package var arrivals: Int
    }

    package var probe: Label
    package var path: Label
    /// A way to one node (`direct:pg-1`) that clients do not take: a replica refuses writes there, as it must. Only where
    /// the probe has other paths too.
    package var isDirect = false
    package var due = 0
    package var ok = 0
    package var failed = 0
    package var unknown = 0
    /// Arrivals that were never sent; part of `failed`.
    package var unsent = 0
    /// All arrivals, failures at the time their failure was known.
    package var median: Span = .zero
    package var p99: Span = .zero
    package var worst: Span = .zero
    package var fastest: Span = .zero
    /// Gaps of at least two arrivals, the longest first, at most five.
    package var gaps: [Gap] = []
    /// Positions in `History.operations`, in order of due time.
    var order: [Int32] = []

    private init(probe: Label, path: Label) {
        self.probe = probe
        self.path = path
    }

    /// One value per probe and path, in order of their names; one pass, and four bytes per operation.
    package static func all(_ history: History) -> [PathStatistics] {
        struct Key: Hashable {
            var probe: Label
            var path: Label
        }
        var paths: [Key: PathStatistics] = [:]
        for (index, operation) in history.operations.enumerated() {
            let key = Key(probe: operation.probe, path: operation.path)
            paths[key, default: PathStatistics(probe: key.probe, path: key.path)].count(operation, at: Int32(index))
        }
        let served = Set(paths.keys.filter { !Operation.isDirect($0.path) }.map(\.probe))
        return paths.values.map { path in
            var path = path
            path.isDirect = Operation.isDirect(path.path) && served.contains(path.probe)
            path.finish(history)
            return path
        }
        .sorted { ($0.probe.text, $0.path.text) < ($1.probe.text, $1.path.text) }
    }

    private mutating func count(_ operation: Operation, at index: Int32) {
        due += 1
        switch operation.outcome {
        case .ok: ok += 1
        case .failed: failed += 1
        case .unknown: unknown += 1
        }
        if operation.sent == nil { unsent += 1 }
        order.append(index)
    }

    private mutating func finish(_ history: History) {
        history.operations.withUnsafeBufferPointer { operations in
            order.sort { operations[Int($0)].due < operations[Int($1)].due }
            var latencies = order.map { operations[Int($0)].latency }
            latencies.sort()
            median = PathStatistics.quantile(latencies, 0.5)
            p99 = PathStatistics.quantile(latencies, 0.99)
            worst = latencies.last ?? .zero
            fastest = latencies.first ?? .zero
        }
        findGaps(history.operations)
    }

    /// The value at rank ⌈q·n⌉ (nearest rank): always a latency that occurred.
    private static func quantile(_ sorted: [Span], _ share: Double) -> Span {
        guard !sorted.isEmpty else { return .zero }
        return sorted[min(sorted.count - 1, max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1))]
    }

    private mutating func findGaps(_ operations: [Operation]) {
        var open: Gap?
        for index in order {
            let operation = operations[Int(index)]
            if operation.outcome == .ok {
                if var gap = open, gap.arrivals > 1 {
                    gap.to = operation.end
                    gaps.append(gap)
                }
                open = nil
            } else {
                open = Gap(from: open?.from ?? operation.due, to: nil, arrivals: (open?.arrivals ?? 0) + 1)
            }
        }
        if let gap = open, gap.arrivals > 1 { gaps.append(gap) }
        let far = Instant(nanoseconds: .max / 2)
        gaps.sort { ($0.to ?? far) - $0.from > ($1.to ?? far) - $1.from }
        gaps = Array(gaps.prefix(5))
    }
}
