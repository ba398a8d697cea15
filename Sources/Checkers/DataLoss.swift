package import Basics
package import Contracts
package import Experiment

/// `rpo`: how many acknowledged writes are gone after recovery, and how old the surviving data was.
package struct DataLoss: Checker {
    package static let kind = "rpo"
    package static let manual = Manual(
        summary: "How many acknowledged writes are gone after recovery, as a count and as time.",
        details: """
            Compares what a ledger was told is safe with what the authoritative node holds after recovery. A write whose
            answer was lost was never acknowledged: it is reported as recovered or unresolved and, unless `unknown` says
            `count`, not charged. Loss as time runs from the last surviving write to the last acknowledgement of the node
            that lost it. The parts split the loss by the node that acknowledged it, before and after another node had
            acknowledged too. Writes that were reported as failed and are there, rows that are there twice, and rows that
            nobody wrote always fail. Without a final read, or when nothing was acknowledged before the fault, the
            criterion is inconclusive.
            """,
        example: "rpo: {probe: orders, max-lost-writes: 0, max: 1s}")

    /// What an unresolved write counts as.
    package enum Unknown: String, Sendable, Hashable, CaseIterable {
        case ignore
        case count
    }

    private static let countParameter = Parameter.defaulted(
        "max-lost-writes", .integer(), to: 0, written: "0", "how many acknowledged writes may be gone")
    private static let maxParameter = Parameter<Span?>.optional(
        "max", .span, "how much time before the last acknowledgement may be lost")
    private static let unknownParameter = Parameter.defaulted(
        "unknown", .choice(Unknown.ignore), to: .ignore, written: "ignore",
        "whether writes without an answer that are gone count as lost")
    package static let parameters: [any AnyParameter] = [countParameter, maxParameter, unknownParameter]
    package static let needs: Set<ObservationKind> = [.operations, .readBacks]

    package let maxLostWrites: Int
    package let maxTime: Span?
    package let unknown: Unknown

    package init(from reader: inout ParameterReader) {
        maxLostWrites = reader.value(Self.countParameter)
        maxTime = reader.value(Self.maxParameter)
        unknown = reader.value(Self.unknownParameter)
    }

    package init(maxLostWrites: Int = 0, maxTime: Span? = nil, unknown: Unknown = .ignore) {
        self.maxLostWrites = maxLostWrites
        self.maxTime = maxTime
        self.unknown = unknown
    }

    private var limitText: String {
        "<= \(maxLostWrites) writes" + (maxTime.map { ", <= \($0)" } ?? "")
    }

    package func check(_ history: History, _ subject: CheckSubject) -> CriterionResult {
        var result = subject.draft(Self.kind, limit: limitText, unit: "writes")
        do throws(Inconclusive) {
            let ledger = try FinalLedger(history, probe: subject.probe)
            result.samples = ledger.acknowledged.count
            let origin = Result { () throws(Inconclusive) in try FaultOrigin.find(in: history, after: subject.after) }
            let fault = try? origin.get()
            // Only a side that has lost something is one.
            let sides =
                ledger.audit.lost.isEmpty
                ? []
                : LossSide.sides(of: ledger.acknowledged, present: ledger.present, after: fault?.effect.lower)
            let time = SpanBounds(
                sides.map(\.time.lower).max() ?? .zero, sides.map(\.time.upper).max() ?? .zero)
            report(ledger, sides, time, &result, history)
            // The figures stand as they are; the verdict needs a fault that is known to have worked.
            if case .failure(let missing) = origin { throw missing }
            if let fault, fault.fault != nil, !ledger.acknowledged.contains(where: { $0.end <= fault.effect.upper }) {
                throw Inconclusive("nothing was acknowledged before the fault, so nothing could be lost")
            }
            judge(ledger.audit, time, &result)
        } catch {
            result.conclude(.inconclusive, error.reason)
        }
        return result
    }

    private func judge(_ audit: LedgerAudit, _ time: SpanBounds, _ result: inout CriterionResult) {
        let lost = audit.lost.count
        if let violation = audit.integrityViolation {
            result.conclude(.fail, violation)
        } else if lost > maxLostWrites {
            result.conclude(.fail, "\(lost) of \(audit.acknowledged) acknowledged writes are gone (\(time))")
        } else if let maxTime, time.lower > maxTime {
            result.conclude(.fail, "the last \(time) before the failure are gone, more than \(maxTime)")
        } else if unknown == .count, lost + audit.unresolved > maxLostWrites {
            result.conclude(
                .inconclusive, "\(audit.unresolved) writes without an answer are gone and may have been acknowledged")
        } else if let maxTime, time.upper > maxTime {
            result.conclude(.inconclusive, "between \(time) of data are gone, and the limit of \(maxTime) lies between")
        } else if lost == 0 {
            result.conclude(.pass, "all \(audit.acknowledged) acknowledged writes are there")
        } else {
            result.conclude(.pass, "\(lost) of \(audit.acknowledged) acknowledged writes are gone, within the limit")
        }
    }
}
