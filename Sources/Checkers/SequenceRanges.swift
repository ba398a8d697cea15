/// A set of sequence numbers as ascending inclusive ranges: a ledger of a million rows is a handful of these.
package struct SequenceRanges: Sendable, Hashable {
    package let ranges: [ClosedRange<Int64>]

    /// Ranges may come in any order and may touch or overlap.
    package init(_ ranges: [ClosedRange<Int64>]) {
        var merged: [ClosedRange<Int64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound &+ 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    package var count: Int { ranges.reduce(0) { $0 + $1.count } }

    package func intersection(_ other: SequenceRanges) -> SequenceRanges {
        var result: [ClosedRange<Int64>] = []
        var (mine, theirs) = (ranges[...], other.ranges[...])
        while let left = mine.first, let right = theirs.first {
            if left.overlaps(right) { result.append(left.clamped(to: right)) }
            if left.upperBound < right.upperBound { mine.removeFirst() } else { theirs.removeFirst() }
        }
        return SequenceRanges(result)
    }

    package func contains(_ sequence: Int64) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < sequence { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(sequence)
    }
}
