package import Basics
package import Contracts

/// What each node said it was over time, as stretches of one state: the source of the role lanes and of role changes.
package struct RoleLane: Sendable {
    /// One state without a change. It holds from the answer that first showed it to the answer that showed another.
    package struct Stretch: Sendable, Hashable {
        package var state: Label
        package var from: Instant
        package var to: Instant
        package var generation: Int64?
        /// The remark or error of the first sample.
        package var detail: Label
    }

    package var probe: Label
    package var node: Label
    package var stretches: [Stretch]

    /// One lane per probe and node, in order of their names.
    package static func all(_ history: History) -> [RoleLane] {
        struct Key: Hashable {
            var probe: Label
            var node: Label
        }
        var lanes: [Key: [Stretch]] = [:]
        for sample in history.states {
            let key = Key(probe: sample.probe, node: sample.node)
            lanes[key, default: []].extend(sample)
        }
        return lanes.map { RoleLane(probe: $0.key.probe, node: $0.key.node, stretches: $0.value) }
            .sorted { ($0.probe.text, $0.node.text) < ($1.probe.text, $1.node.text) }
    }

    /// Stretches in which two nodes of one probe claimed to be primary, as sampled: a suspicion, not yet proof of two writers.
    package static func dualPrimary(_ lanes: [RoleLane]) -> [Overlap] {
        let claims = lanes.map { lane in
            (lane, lane.stretches.filter { $0.state == StateSample.primary }.map { Overlap.Interval($0.from, $0.to) })
        }
        return Overlap.between(claims.map { ($0.0.probe, $0.0.node, $0.1) })
    }
}

extension [RoleLane.Stretch] {
    fileprivate mutating func extend(_ sample: StateSample) {
        if let last, last.state == sample.state, last.generation == sample.generation || sample.generation == nil {
            self[count - 1].to = Swift.max(last.to, sample.end)
            return
        }
        if !isEmpty { self[count - 1].to = Swift.max(self[count - 1].from, sample.end) }
        append(
            .init(
                state: sample.state, from: sample.end, to: sample.end, generation: sample.generation,
                detail: sample.detail))
    }
}

/// A time in which two nodes did what only one of them may do.
package struct Overlap: Sendable, Hashable {
    package struct Interval: Sendable, Hashable {
        package var from: Instant
        package var to: Instant

        package init(_ from: Instant, _ to: Instant) {
            self.from = from
            self.to = to
        }
    }

    package var first: Label
    package var second: Label
    package var interval: Interval

    package var length: Span { interval.to - interval.from }

    /// Intersections of the intervals of every two nodes of one probe, in order of time.
    static func between(_ lanes: [(probe: Label, node: Label, intervals: [Interval])]) -> [Overlap] {
        var overlaps: [Overlap] = []
        for (index, left) in lanes.enumerated() {
            for right in lanes[(index + 1)...] where right.probe == left.probe && right.node != left.node {
                for a in left.intervals {
                    for b in right.intervals where max(a.from, b.from) < min(a.to, b.to) {
                        let interval = Interval(max(a.from, b.from), min(a.to, b.to))
                        overlaps.append(Overlap(first: left.node, second: right.node, interval: interval))
                    }
                }
            }
        }
        return overlaps.sorted { $0.interval.from < $1.interval.from }
    }
}
