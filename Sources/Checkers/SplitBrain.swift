package import Basics
package import Contracts
package import Experiment

/// `split-brain`: how long two nodes were primary at once.
///
/// Judges role samples taken on each node directly, or the nodes that acknowledged a ledger's writes; acknowledgements
/// by two nodes in overlapping intervals are proof whatever the roles said.
package struct SplitBrain: Checker {
    package static let kind = "split-brain"
    package static let manual = Manual(
        summary: "How long two nodes were primary at once.",
        details: """
            With a probe of roles, a node counts as primary from one look to the next that both found it so (certain), and
            from the last look before to the first after that found something else (possible). A primary that stops
            answering may still be one, so the possible interval goes on until a look denies it or its process was seen
            to exit. With a ledger, a node counts from its first acknowledgement to its last. Fails when the certain
            window exceeds the limit, passes when the possible one is within it, else it is inconclusive: look more often,
            or allow a window as wide as the sampling.
            """,
        example: "split-brain: {probe: roles, max: 0s}")
    private static let maxParameter = Parameter.defaulted(
        "max", .span, to: .zero, written: "0s", "the longest time with two primaries that passes")
    package static let parameters: [any AnyParameter] = [maxParameter]
    package static let needs: Set<ObservationKind> = []
    /// Roles sampled on the nodes, or acknowledged writes with the node that acknowledged them.
    package static let accepts: [Set<ObservationKind>] = [[.states], [.operations]]

    package let limit: Span

    package init(from reader: inout ParameterReader) {
        limit = reader.value(Self.maxParameter)
    }

    package init(limit: Span = .zero) {
        self.limit = limit
    }

    package func check(_ history: History, _ subject: CheckSubject) -> CriterionResult {
        var result = subject.draft(Self.kind, limit: "<= \(limit)", unit: "s")
        do throws(Inconclusive) {
            let samples = StateList(history.states) { $0.probe == subject.probe }
            let looks = samples.byNode(\.node)
            let acknowledged = acknowledgements(
                in: history, judged: subject.probe, watched: Set(looks.map(\.node)))
            let byAcknowledgement = PrimaryEvidence(
                terms: AcknowledgementTerm.terms(
                    of: acknowledged, gap: AcknowledgementTerm.gap(for: acknowledged)))
            let evidence = samples.isEmpty ? byAcknowledgement : PrimaryClaims(history).evidence(of: looks)
            let dual = evidence.dual()
            let acknowledgedByTwo = byAcknowledgement.dual()
            result.samples = samples.isEmpty ? acknowledged.count : samples.count
            report(dual, acknowledgedByTwo, acknowledged, history, &result)
            let origin = try FaultOrigin.find(in: history, after: subject.after)
            let verdicts = [dual.judged(atMost: limit), acknowledgedByTwo.judged(atMost: limit)]
            if verdicts.contains(.fail) {
                conclude(dual, acknowledgedByTwo, &result)
                return result
            }
            if samples.isEmpty {
                try requireNames(acknowledged, history, subject.probe, after: origin.effect)
            } else {
                try requireSight(of: looks, after: origin.effect)
                try requireCommonNames(acknowledged, history)
            }
            conclude(dual, acknowledgedByTwo, &result)
        } catch {
            result.conclude(.inconclusive, error.reason)
        }
        return result
    }

    /// Acknowledged writes with a node's name: of the judged probe when it has any, else of every ledger of the run.
    ///
    /// Where each node owns keys of its own they acknowledge side by side: only those that are watched as one shard count.
    private func acknowledgements(
        in history: History, judged probe: Label, watched: Set<Label>
    ) -> OperationList {
        let all = OperationList(history.operations) {
            $0.isGood && $0.action == .write && !$0.node.isEmpty
                && (!Operation.isSharded($0.path) || watched.contains($0.node))
        }
        let own = all.selecting { $0.probe == probe }
        return (own.isEmpty ? all : own).sorted(by: \.end.nanoseconds)
    }

    private func conclude(_ dual: DualPrimary, _ acknowledged: DualPrimary, _ result: inout CriterionResult) {
        let byRole = dual.judged(atMost: limit)
        let byAcknowledgement = acknowledged.judged(atMost: limit)
        switch (byRole, byAcknowledgement) {
        case (_, .fail):
            result.conclude(.fail, "two nodes acknowledged writes in overlapping intervals for \(acknowledged.bounds)")
        case (.fail, _):
            result.conclude(.fail, "two nodes were primary at once for \(dual.bounds)")
        case (.inconclusive, _), (_, .inconclusive):
            let upper = max(dual.bounds.upper, acknowledged.bounds.upper)
            result.conclude(
                .inconclusive,
                "two primaries for up to \(upper) cannot be excluded, the limit is \(limit): sample more often, or a "
                    + "primary that did not answer was never seen to step down")
        case (.pass, .pass):
            result.conclude(
                .pass,
                dual.bounds.upper == .zero
                    ? "at no time were two nodes primary at once" : "two primaries for \(dual.bounds.upper) at most")
        }
    }

    /// A ledger of a cluster whose nodes have other names than the probe's would prove nothing, and not say so.
    private func requireCommonNames(_ acknowledged: OperationList, _ history: History) throws(Inconclusive) {
        let isSharded = history.operations.contains { $0.isGood && $0.action == .write && Operation.isSharded($0.path) }
        guard isSharded, acknowledged.isEmpty else { return }
        throw Inconclusive(
            "no write was acknowledged by a node of this probe: give the ledger's nodes and the probe's the same names")
    }

    /// Every node must have been seen, and looked at again after the fault.
    private func requireSight(
        of looks: [(node: Label, list: StateList)], after effect: InstantRange
    ) throws(Inconclusive) {
        let silent = looks.filter { $0.list.allSatisfy { $0.state == StateSample.unreachable } }
        if let never = silent.map(\.node).min() {
            throw Inconclusive("\(never) never answered the probe, so it may have been primary all the time")
        }
        let unseen = looks.filter { $0.list.allSatisfy { $0.sent < effect.upper } }
        if let blind = unseen.map(\.node).min() {
            throw Inconclusive("\(blind) was not looked at after the fault")
        }
        guard looks.contains(where: { $0.list.contains { $0.state == StateSample.primary } }) else {
            throw Inconclusive("no node was ever seen as primary: the probe looks at the wrong nodes")
        }
        guard looks.count > 1 else { throw Inconclusive("only one node was looked at; a split needs two") }
    }

    private func requireNames(
        _ acknowledged: OperationList, _ history: History, _ probe: Label, after effect: InstantRange
    ) throws(Inconclusive) {
        guard acknowledged.contains(where: { $0.probe == probe }) else {
            throw Inconclusive("the probe recorded neither roles nor which node acknowledged a write")
        }
        guard acknowledged.contains(where: { $0.began >= effect.upper }) else {
            throw Inconclusive("no write was acknowledged after the fault, so no second primary could show")
        }
        let nameless = OperationList(history.operations) {
            $0.probe == probe && $0.isGood && $0.action == .write && $0.node.isEmpty && $0.began >= effect.lower
        }
        guard nameless.isEmpty else {
            throw Inconclusive(
                "for \(nameless.count) writes after the fault it is not known which node acknowledged them")
        }
    }

    private func report(
        _ dual: DualPrimary, _ acknowledgedByTwo: DualPrimary, _ acknowledged: OperationList, _ history: History,
        _ result: inout CriterionResult
    ) {
        result.measured = max(dual.bounds.lower, acknowledgedByTwo.bounds.lower).seconds
        result.lower = result.measured
        result.upper = max(dual.bounds.upper, acknowledgedByTwo.bounds.upper).seconds
        result.add("dual-role", dual.bounds.lower.seconds, "s", "by role: \(dual.bounds)")
        if acknowledged.isEmpty {
            result.add("dual-primary", nil, "s", "no ledger of the run names the node that acknowledged")
        } else {
            result.add(
                "dual-primary", acknowledgedByTwo.bounds.lower.seconds, "s",
                "by acknowledgements: \(acknowledgedByTwo.bounds)")
            let conflicting = acknowledged.count { write in
                acknowledgedByTwo.certain.contains { $0.lower <= write.began && write.end <= $0.upper }
            }
            result.add("conflicting-writes", Double(conflicting), "writes", "acknowledged while two nodes did")
        }
        let start = history.run?.startedAt ?? history.start(of: .injecting) ?? Instant(nanoseconds: 0)
        let windows =
            dual.certain.map { ("two primaries by role", $0) }
            + acknowledgedByTwo.certain.map { ("two nodes acknowledged", $0) }
            + dual.possible.map { ("cannot be excluded", $0) }
        result.exceptions = windows.prefix(CriterionResult.exceptionLimit).map { what, window in
            "\(what): \(window.lower - start) to \(window.upper - start) of the run (\(window.width))"
        }
    }
}
