/// What became of the acknowledged records of one producer on one partition of a log (`research` 2.3).
package struct LogAudit: Sendable, Hashable {
    /// Acknowledged and not in the log, ascending.
    package var lost: [Int64] = []
    /// In the log more than once, ascending.
    package var duplicated: [Int64] = []
    /// Pairs of neighbours, by first occurrence in offset order, whose sequences fall instead of rise.
    package var inversions = 0
    /// In the log and never sent, ascending.
    package var unexpected: [Int64] = []
    /// Acknowledged, and beyond what was read: neither lost nor there.
    package var unseen: [Int64] = []

    /// - Parameters:
    ///   - acknowledged: the sequences that the broker acknowledged.
    ///   - sent: all that were attempted; by default the acknowledged ones.
    ///   - log: the sequences in offset order, from the beginning.
    ///   - isComplete: the log was read to its end; otherwise what is above the highest sequence read is unseen.
    package init(acknowledged: [Int64], sent: [Int64]? = nil, log: [Int64], isComplete: Bool = true) {
        var occurrences: [Int64: Int] = [:]
        var previous: Int64?
        for sequence in log {
            occurrences[sequence, default: 0] += 1
            // A duplicate is reported as such; comparing it again would count its disorder twice.
            guard occurrences[sequence] == 1 else { continue }
            if let previous, sequence < previous { inversions += 1 }
            previous = sequence
        }
        let highest = log.max() ?? Int64.min
        let absent = acknowledged.filter { occurrences[$0] == nil }.sorted()
        lost = absent.filter { isComplete || $0 <= highest }
        unseen = absent.filter { !isComplete && $0 > highest }
        duplicated = occurrences.filter { $0.value > 1 }.keys.sorted()
        let attempted = Set(sent ?? acknowledged)
        unexpected = occurrences.keys.filter { !attempted.contains($0) }.sorted()
    }
}
