package import Basics
package import Contracts

/// The operations of one probe in the order they were due, without those that the prober's own stalls spoiled.
package struct ProbeOperations: RandomAccessCollection, Sendable {
    private let list: OperationList
    /// Due instants of the arrivals that say nothing because the prober stood still, ascending.
    package let stalled: [Instant]
    /// The distance of two arrivals of the plan; zero when there are fewer than two.
    package let interval: Span

    /// After waking up from a stall, replies that had long arrived are stamped this much later at most.
    private static let wakeUp = Span.milliseconds(50)

    /// What a stall of the prober takes away.
    package enum Spoiled: Sendable, Hashable {
        /// Failures alone: an operation that succeeded shows the service at work whatever the prober did.
        case failures
        /// Everything, for figures that a stall distorts even when an operation succeeds, such as latency.
        case everything
    }

    /// - Parameter path: only this path; nil: all that clients take (see `clientPaths`).
    package init(_ history: History, probe: Label, path: Label? = nil, spoiled: Spoiled = .failures) {
        let paths = path.map { [$0] } ?? Self.clientPaths(of: probe, in: history.operations)
        let stalls = history.stalls
        var stalled: [Instant] = []
        let usable = OperationList(history.operations) { operation in
            guard operation.probe == probe && paths.contains(operation.path) else { return false }
            if stalls.isEmpty || (spoiled == .failures && operation.isGood) { return true }
            guard Self.isSpoiled(operation, by: stalls) else { return true }
            stalled.append(operation.due)
            return false
        }
        list = usable.sorted(by: \.due.nanoseconds)
        self.stalled = stalled.sorted()
        interval = Self.planned(list)
    }

    /// An arrival due while the prober stood still, or one in flight then whose end was stamped when it woke up.
    private static func isSpoiled(_ operation: Operation, by stalls: [ProberStall]) -> Bool {
        stalls.contains { stall in
            operation.due <= stall.to && operation.end >= stall.from
                && (operation.due >= stall.from || operation.end <= stall.to + wakeUp)
        }
    }

    /// Typical distance of distinct due instants: the median of at most 4,096 spread over the run.
    private static func planned(_ list: OperationList) -> Span {
        var gaps: [Int64] = []
        for index in stride(from: 0, to: list.count, by: Swift.max(1, list.count / 4_096)) {
            let due = list[index].due
            var next = index + 1
            while next < list.count, list[next].due == due { next += 1 }
            if next < list.count { gaps.append((list[next].due - due).nanoseconds) }
        }
        gaps.sort()
        return gaps.isEmpty ? .zero : Span(nanoseconds: gaps[gaps.count / 2])
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { list.count }
    package subscript(position: Int) -> Operation { list[position] }

    /// The first position due at or after `instant`.
    package func position(dueFrom instant: Instant) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].due < instant { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The positions due from `start` until before `end`.
    package func positions(from start: Instant, until end: Instant) -> Range<Int> {
        let low = position(dueFrom: start)
        return low..<Swift.max(low, position(dueFrom: end))
    }

    /// Until when the plan was carried out: one interval after the last arrival.
    package var observedUntil: Instant? { last.map { $0.due + interval } }
}

extension ProbeOperations {
    /// The paths that clients take: all but `direct:<node>`, unless the probe has only direct ones.
    package static func clientPaths(of probe: Label, in operations: [Operation]) -> [Label] {
        var paths: [Label] = []
        for operation in operations where operation.probe == probe {
            // Almost always the path of the one before.
            if !paths.contains(operation.path) { paths.append(operation.path) }
        }
        let client = paths.filter { !Operation.isDirect($0) }
        return client.isEmpty ? paths : client
    }
}

extension Operation {
    /// When it began to ask the system; an arrival that could not be sent failed its client when it was due.
    package var began: Instant { sent ?? due }
    package var isGood: Bool { outcome == .ok }
}
