package import Basics
package import Contracts

/// A ledger after recovery: its writes, and what the authoritative node holds.
package struct FinalLedger: Sendable {
    /// In order of their end.
    package let acknowledged: OperationList
    package let present: SequenceRanges
    package let audit: LedgerAudit
    /// The newest final read of each other node, failed ones included.
    package let others: [ReadBack]
    /// Reads taken before a rewind could destroy what a discarded primary held.
    package let evidence: [ReadBack]
    package let authorities: [ReadBack]

    package init(_ history: History, probe: Label) throws(Inconclusive) {
        let reads = history.readBacks.filter { $0.probe == probe }
        let final = Self.newest(reads.filter { $0.stage == .final })
        let authorities = final.filter(\.isAuthoritative)
        guard let first = authorities.first else {
            throw Inconclusive("no final read of the authoritative node: what is lost is not known")
        }
        if let failed = authorities.first(where: { !$0.failure.isEmpty }) {
            throw Inconclusive("the final read of \(failed.node) failed: \(failed.failure)")
        }
        let writes = OperationList(history.operations) { $0.probe == probe && $0.action == .write }
        let acknowledged = writes.selecting(\.isGood).sorted(by: \.end.nanoseconds)
        guard let last = acknowledged.last?.end else { throw Inconclusive("no write was ever acknowledged") }
        if let early = authorities.first(where: { $0.at < last }) {
            throw Inconclusive("\(early.node) was read before the last write was acknowledged")
        }
        // Two nodes that both call themselves authoritative: safe is only what both hold.
        present = authorities.dropFirst().reduce(SequenceRanges(first.present)) {
            $0.intersection(SequenceRanges($1.present))
        }
        self.acknowledged = acknowledged
        audit = LedgerAudit(
            writes: writes, present: present, duplicated: Array(Set(authorities.flatMap(\.duplicated))).sorted())
        others = final.filter { !$0.isAuthoritative }
        evidence = Self.newest(reads.filter { $0.stage == .evidence })
        self.authorities = authorities
    }

    private static func newest(_ reads: [ReadBack]) -> [ReadBack] {
        var newest: [Label: ReadBack] = [:]
        for read in reads where newest[read.node].map({ $0.at <= read.at }) ?? true { newest[read.node] = read }
        return newest.values.sorted { $0.node < $1.node }
    }
}
