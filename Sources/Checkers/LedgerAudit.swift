package import Basics
internal import Contracts

/// What became of every write of a ledger: set arithmetic over what was acknowledged and what is there (`research` 1.5).
package struct LedgerAudit: Sendable {
    package var acknowledged = 0
    /// Acknowledged and gone, in order of their acknowledgement.
    package var lost: OperationList
    /// Unknown to the client, and there.
    package var recovered = 0
    /// Unknown to the client, and not there.
    package var unresolved = 0
    /// Acknowledged with a warning (and therefore unknown), and not there.
    package var warnedLost = 0
    /// Failed for certain as far as the client was told, and there all the same.
    package var resurrected: OperationList
    /// There, and never attempted: some of them, and how many.
    package var unexpected: [Int64] = []
    package var unexpectedCount = 0
    /// There more than once.
    package var duplicated: [Int64] = []

    /// The class of acknowledgements that carried a warning.
    package static let warnedReason: Label = "warned-ack"

    /// - Parameters:
    ///   - writes: one operation per sequence, in any order.
    ///   - present: what the authoritative node holds after recovery.
    package init(writes: OperationList, present: SequenceRanges, duplicated: [Int64] = []) {
        self.duplicated = duplicated
        let attempted = writes.sorted(by: \.sequence)
        var lostAt: [Int32] = []
        var resurrectedAt: [Int32] = []
        var range = 0
        var matched = 0
        for (position, write) in attempted.enumerated() {
            while range < present.ranges.count, present.ranges[range].upperBound < write.sequence { range += 1 }
            let isThere = range < present.ranges.count && present.ranges[range].contains(write.sequence)
            matched += isThere ? 1 : 0
            switch (write.outcome, isThere) {
            case (.ok, true): acknowledged += 1
            case (.ok, false):
                acknowledged += 1
                lostAt.append(Int32(position))
            case (.unknown, true): recovered += 1
            case (.unknown, false):
                unresolved += 1
                if write.reason == Self.warnedReason { warnedLost += 1 }
            case (.failed, true): resurrectedAt.append(Int32(position))
            case (.failed, false): break
            }
        }
        lost = attempted.at(lostAt).sorted(by: \.end.nanoseconds)
        resurrected = attempted.at(resurrectedAt)
        unexpectedCount = max(0, present.count - matched)
        if unexpectedCount > 0 { unexpected = Self.unattempted(attempted, present) }
    }

    /// The first hundred sequences that are there though nobody attempted them.
    private static func unattempted(_ attempted: OperationList, _ present: SequenceRanges) -> [Int64] {
        var found: [Int64] = []
        var index = 0
        for range in present.ranges {
            for sequence in range {
                while index < attempted.count, attempted[index].sequence < sequence { index += 1 }
                if index < attempted.count, attempted[index].sequence == sequence { continue }
                found.append(sequence)
                if found.count == CriterionResult.exceptionLimit { return found }
            }
        }
        return found
    }

    /// What no database may do, whatever was lost; nil when nothing of the kind happened.
    package var integrityViolation: String? {
        var findings: [String] = []
        if !resurrected.isEmpty { findings.append("\(resurrected.count) writes reported as failed are there") }
        if !duplicated.isEmpty { findings.append("\(duplicated.count) sequences are there more than once") }
        if unexpectedCount > 0 { findings.append("\(unexpectedCount) sequences are there that nobody wrote") }
        return findings.isEmpty ? nil : findings.joined(separator: "; ")
    }
}
