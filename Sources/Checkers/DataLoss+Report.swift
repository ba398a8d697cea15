internal import Basics
internal import Contracts

extension DataLoss {
    /// Fills in the figures, whatever the verdict will be.
    func report(
        _ ledger: FinalLedger, _ sides: [LossSide], _ time: SpanBounds, _ result: inout CriterionResult,
        _ history: History
    ) {
        let audit = ledger.audit
        result.measured = Double(audit.lost.count)
        result.lower = Double(audit.lost.count)
        result.upper = Double(audit.lost.count + audit.unresolved)
        result.add("rpo-time", time.upper.seconds, "s", "\(time), from the last safe write to the last acknowledgement")
        result.add("acknowledged", Double(audit.acknowledged), "writes")
        result.add("recovered", Double(audit.recovered), "writes", "no answer, and there")
        result.add("unresolved", Double(audit.unresolved), "writes", "no answer, and not there")
        result.add("warned-ack-lost", Double(audit.warnedLost), "writes", "acknowledged with a warning, and gone")
        result.add("resurrected", Double(audit.resurrected.count), "writes", "reported as failed, and there")
        result.add("duplicated", Double(audit.duplicated.count), "writes")
        result.add("unexpected", Double(audit.unexpectedCount), "writes", "there, and never attempted")
        for side in sides { report(side, &result) }
        report(otherNodesOf: ledger, &result)
        result.exceptions = exceptions(audit, history)
    }

    private func report(_ side: LossSide, _ result: inout CriterionResult) {
        let node = side.node.isEmpty ? "unknown node" : side.node.text
        result.add(
            "lost on \(node)", Double(side.lost), "writes",
            "\(side.lost - side.divergent) before another node acknowledged, \(side.divergent) after; \(side.time)")
        result.add("lost-before \(node)", Double(side.lost - side.divergent), "writes")
        result.add("lost-divergent \(node)", Double(side.divergent), "writes")
        if let span = side.span { result.add("loss-span \(node)", span.width.seconds, "s") }
        if side.node.isEmpty {
            result.add("holes \(node)", nil, "writes", "cannot be told: the ledger does not know who acknowledged")
        } else {
            result.add(
                "holes \(node)", Double(side.holes), "writes",
                side.holes == 0 ? "the loss is a suffix" : "ALARM: older than a write that survived")
        }
    }

    private func report(otherNodesOf ledger: FinalLedger, _ result: inout CriterionResult) {
        for read in ledger.others {
            guard read.failure.isEmpty else {
                result.add("missing on \(read.node)", nil, "writes", "could not be read: \(read.failure)")
                continue
            }
            let held = SequenceRanges(read.present)
            let common = held.intersection(ledger.present).count
            result.add(
                "missing on \(read.node)", Double(ledger.present.count - common), "writes", "not replicated there")
            result.add(
                "only on \(read.node)", Double(held.count - common), "writes", "the authoritative node lacks them")
        }
        for read in ledger.evidence where read.failure.isEmpty && !ledger.audit.lost.isEmpty {
            let held = SequenceRanges(read.present)
            let found = ledger.audit.lost.count { held.contains($0.sequence) }
            result.add("evidence on \(read.node)", Double(found), "writes", "lost writes it held before healing")
        }
    }

    /// Up to a hundred lines: the lost writes first, then what should not be there.
    private func exceptions(_ audit: LedgerAudit, _ history: History) -> [String] {
        let start = history.run?.startedAt ?? history.start(of: .injecting) ?? Instant(nanoseconds: 0)
        let limit = CriterionResult.exceptionLimit
        var lines = audit.lost.prefix(limit).map { write in
            let node = write.node.isEmpty ? "an unknown node" : write.node.text
            return "lost \(write.sequence): acknowledged by \(node) at \(write.end - start) of the run"
        }
        lines += audit.resurrected.prefix(limit).map {
            "resurrected \($0.sequence): failed with \($0.reason), and there"
        }
        lines += audit.duplicated.prefix(limit).map { "duplicated \($0)" }
        lines += audit.unexpected.prefix(limit).map { "unexpected \($0): nobody wrote it" }
        return Array(lines.prefix(limit))
    }
}
