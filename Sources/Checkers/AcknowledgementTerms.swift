package import Basics
package import Contracts

/// A stretch in which one node acknowledged writes without a longer break.
package struct AcknowledgementTerm: Sendable, Hashable {
    package var node: Label
    /// The first acknowledgement: from the start of its write to its end.
    package var first: InstantRange
    package var last: InstantRange
    package var count: Int

    /// Splits the acknowledged writes into terms; a node that is silent for longer than `gap` begins a new one.
    ///
    /// Without terms a clean failover and a later failback would look like one long dual primary (`research` 1.6).
    package static func terms(of acknowledged: some Sequence<Operation>, gap: Span = .seconds(1))
        -> [AcknowledgementTerm]
    {
        // A handful of nodes: a list is looked through faster than a table.
        var open: [AcknowledgementTerm] = []
        var closed: [AcknowledgementTerm] = []
        for operation in acknowledged where !operation.node.isEmpty {
            let range = InstantRange(operation.began, operation.end)
            if let index = open.firstIndex(where: { $0.node == operation.node }) {
                if open[index].take(range, within: gap) { continue }
                closed.append(open.remove(at: index))
            }
            open.append(AcknowledgementTerm(node: operation.node, first: range, last: range, count: 1))
        }
        return (closed + open).sorted { ($0.first.lower, $0.node) < ($1.first.lower, $1.node) }
    }

    /// Grows by a further acknowledgement; false when it comes too late.
    private mutating func take(_ range: InstantRange, within gap: Span) -> Bool {
        guard range.lower - last.upper <= gap else { return false }
        last = InstantRange(max(last.lower, range.lower), max(last.upper, range.upper))
        count += 1
        return true
    }

    /// A gap that tells a break from a low rate: one second, or three times the mean distance of acknowledgements.
    ///
    /// No more: in ten seconds a cluster can fail over and back, and would be accused of two primaries at once.
    package static func gap(for acknowledged: OperationList) -> Span {
        guard let first = acknowledged.first, let last = acknowledged.last, acknowledged.count > 1 else {
            return .seconds(1)
        }
        return max(.seconds(1), min(.seconds(10), (last.end - first.end) / Int64(acknowledged.count - 1) * 3))
    }
}

extension PrimaryEvidence {
    /// Evidence by acknowledgements: a node was primary from its first to its last one.
    ///
    /// - Parameter clockError: how far the clocks of two probers may differ; zero when one prober saw all.
    package init(terms: [AcknowledgementTerm], clockError: Span = .zero) {
        self.init()
        let half = Span(nanoseconds: (clockError.nanoseconds + 1) / 2)
        for term in terms {
            add(
                term.node, certain: (term.first.upper + half, term.last.lower - half),
                possible: InstantRange(term.first.lower - half, term.last.upper + half))
        }
    }
}
