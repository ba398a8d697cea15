package import Basics
package import Contracts

/// Who acknowledged writes, and when: per node, stretches of acknowledgements without a long pause, and the lost ones.
package struct WriteLane: Sendable {
    package var probe: Label
    package var node: Label
    package var acknowledged = 0
    /// Acknowledgements no more than `pause` apart, from the first answer to the last.
    package var stretches: [Overlap.Interval] = []
    /// Positions in `History.operations` of acknowledged writes that were gone at the end; empty when none, or unknown.
    var lost: [Int32] = []
    package var lostCount: Int { lost.count }

    /// A node that stays silent for longer has stopped acknowledging.
    static let pause = Span.seconds(1)

    /// One lane per ledger and node that acknowledged anything, in order of their names.
    package static func all(_ history: History) -> [WriteLane] {
        struct Key: Hashable {
            var probe: Label
            var node: Label
        }
        let ledgers = Ledger.all(history)
        var lanes: [Key: WriteLane] = [:]
        for (index, operation) in history.operations.enumerated()
        where operation.action == .write && operation.outcome == .ok {
            let key = Key(probe: operation.probe, node: operation.node)
            lanes[key, default: WriteLane(probe: key.probe, node: key.node)].count(operation)
            if ledgers[operation.probe]?.holds(operation.sequence) == false { lanes[key]?.lost.append(Int32(index)) }
        }
        return lanes.values.sorted { ($0.probe.text, $0.node.text) < ($1.probe.text, $1.node.text) }
    }

    private init(probe: Label, node: Label) {
        self.probe = probe
        self.node = node
    }

    private mutating func count(_ operation: Operation) {
        acknowledged += 1
        // Answers arrive almost in order; the few that do not cannot move a stretch's begin by more than their latency.
        if let last = stretches.last, operation.end - last.to <= WriteLane.pause {
            stretches[stretches.count - 1].to = max(last.to, operation.end)
        } else {
            stretches.append(Overlap.Interval(operation.end, operation.end))
        }
    }

    /// Times in which two named nodes both acknowledged writes.
    package static func overlaps(_ lanes: [WriteLane]) -> [Overlap] {
        Overlap.between(lanes.filter { !$0.node.isEmpty }.map { ($0.probe, $0.node, $0.stretches) })
    }
}

/// The final content of the node that clients reach after recovery.
package struct Ledger: Sendable {
    package var readBack: ReadBack

    /// Whether the node holds the write with this sequence.
    package func holds(_ sequence: Int64) -> Bool {
        var low = 0
        var high = readBack.present.count
        while low < high {
            let middle = (low + high) / 2
            if readBack.present[middle].upperBound < sequence { low = middle + 1 } else { high = middle }
        }
        return low < readBack.present.count && readBack.present[low].contains(sequence)
    }

    /// The last authoritative final read of each ledger that could be read; without one nothing is known of losses.
    package static func all(_ history: History) -> [Label: Ledger] {
        var ledgers: [Label: Ledger] = [:]
        for readBack in history.readBacks
        where readBack.stage == .final && readBack.isAuthoritative && readBack.failure.isEmpty {
            ledgers[readBack.probe] = Ledger(readBack: readBack)
        }
        return ledgers
    }
}
