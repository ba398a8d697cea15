package import Basics
internal import Contracts

/// The losses of the writes that one node acknowledged, for one stretch of its time as primary.
package struct LossSide: Sendable, Hashable {
    /// Empty when the ledger could not tell which node acknowledged.
    package var node: Label
    package var acknowledged = 0
    package var lost = 0
    /// Of these: acknowledged after another node had certainly acknowledged too, on a history that was discarded.
    package var divergent = 0
    /// Of these: older than a write of the same stretch that survived. Log shipping loses a suffix, never a hole.
    package var holes = 0
    /// From the last write that is safe to the last acknowledgement of the stretch: the data's age at recovery.
    package var time = SpanBounds(.zero, .zero)
    /// From the start of the first lost write to the end of the last.
    package var span: InstantRange?

    /// One entry per node and stretch in which something was lost.
    ///
    /// - Parameters:
    ///   - acknowledged: in order of their end.
    ///   - effect: the fault; what another node acknowledged before it is an earlier primary's, not a rival's.
    package static func sides(
        of acknowledged: OperationList, present: SequenceRanges, after effect: Instant?
    ) -> [LossSide] {
        var rivals: [Label: Instant] = [:]
        for write in acknowledged where effect.map({ write.end >= $0 }) ?? true {
            if rivals[write.node] == nil { rivals[write.node] = write.end }
        }
        let gap = AcknowledgementTerm.gap(for: acknowledged)
        var open: [Label: [Int32]] = [:]
        var ends: [Label: Instant] = [:]
        var sides: [LossSide] = []
        func close(_ node: Label) {
            guard let positions = open.updateValue([], forKey: node) else { return }
            let side = LossSide(node, acknowledged.at(positions), present, rivals)
            if side.lost > 0 { sides.append(side) }
        }
        for (position, write) in acknowledged.enumerated() {
            if let last = ends[write.node], write.began - last > gap { close(write.node) }
            ends[write.node] = write.end
            open[write.node, default: []].append(Int32(position))
        }
        for node in open.keys.sorted() { close(node) }
        return sides.sorted { ($0.span?.lower.nanoseconds ?? 0, $0.node) < ($1.span?.lower.nanoseconds ?? 0, $1.node) }
    }

    private init(_ node: Label, _ writes: OperationList, _ present: SequenceRanges, _ rivals: [Label: Instant]) {
        self.node = node
        acknowledged = writes.count
        let rival = rivals.filter { $0.key != node && !$0.key.isEmpty }.values.min()
        var lastKept: Instant?
        var lastSafe: Operation?
        var hasLost = false
        let lostWrites = writes.selecting { write in
            guard present.contains(write.sequence) else {
                hasLost = true
                return true
            }
            lastKept = max(lastKept ?? write.began, write.began)
            if !hasLost { lastSafe = write }
            return false
        }
        lost = lostWrites.count
        guard let first = lostWrites.first, let lastLost = lostWrites.last, let last = writes.last else { return }
        // Without the node's name a failover looks like a hole, and no rival can be named.
        if !node.isEmpty {
            holes = lastKept.map { kept in lostWrites.count { $0.end < kept } } ?? 0
            divergent = rival.map { rival in lostWrites.count { $0.began >= rival } } ?? 0
        }
        let reference = node.isEmpty ? lastLost : last
        time = SpanBounds(
            max(.zero, reference.began - first.end), reference.end - (lastSafe?.end ?? first.began))
        span = InstantRange(first.began, lastLost.end)
    }
}
