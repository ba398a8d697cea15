internal import Basics
package import Contracts

/// Reads role samples as intervals of primary claims, no narrower than the sampling allows.
///
/// - Certain: between two successive looks that both found a primary.
/// - Possible: from the last look before the claim that found something else to the first one after it that did.
/// - A node that was primary and then gives no answer may still be primary: its claim stays possible until a look
///   denies it, or until its process was seen to exit (the evidence of a kill or stop fault on that node). A frozen or
///   partitioned primary therefore cannot hide, while a killed one is done with at its exit.
/// - Nobody listening (a refused connection, a server that is starting up, a connection that breaks at once) denies the
///   claim, unless a network fault was active then: a firewall can refuse in a node's name.
package struct PrimaryClaims {
    /// Why one look settles or leaves open whether the node is primary.
    private enum Look {
        case claims
        case denies
        case silent
    }

    /// A connection that fails faster than this was answered by the node's own machine.
    private static let prompt = Span.milliseconds(250)
    private static let refusals: Set<Label> = ["refused", "57P03"]
    private static let breaks: Set<Label> = ["unreachable", "lost"]

    private let exits: ProcessExits
    private let cuts: [InstantRange]

    package init(_ history: History) {
        exits = ProcessExits(history.faults)
        cuts = history.faults.filter { $0.kind.text.hasPrefix("network.") }.compactMap { fault in
            fault.effectiveAt.map { InstantRange($0.lower, fault.healedAt ?? Instant(nanoseconds: .max)) }
        }
    }

    /// - Parameter samples: of one states probe, in order of time per node.
    package func evidence(of samples: [StateSample]) -> PrimaryEvidence {
        var evidence = PrimaryEvidence()
        var byNode: [Label: [StateSample]] = [:]
        for sample in samples { byNode[sample.node, default: []].append(sample) }
        let end = samples.map(\.end).max() ?? Instant(nanoseconds: 0)
        for (node, looks) in byNode {
            read(node, looks.sorted { $0.sent < $1.sent }, until: end, into: &evidence)
        }
        return evidence
    }

    private struct Claim {
        var possibleFrom: Instant
        var last: StateSample
    }

    private func read(
        _ node: Label, _ looks: [StateSample], until end: Instant, into evidence: inout PrimaryEvidence
    ) {
        let nodeExits = exits.of(node)
        var claim: Claim?
        var deniedAt: Instant?
        var isGone = false
        let blind = blindness(of: looks)
        var before: StateSample?
        for look in looks {
            if let before, look.sent - before.end > blind {
                // Nobody looked: the node may have been anything meanwhile.
                evidence.add(node, certain: nil, possible: InstantRange(before.end, look.end))
                deniedAt = nil
                markGap(&claim)
            }
            before = look
            switch reading(of: look) {
            case .claims:
                isGone = false
                if let open = claim { certify(node, open.last, look, &evidence) }
                claim = Claim(possibleFrom: claim?.possibleFrom ?? deniedAt ?? look.sent, last: look)
                evidence.instants[node, default: []].append(InstantRange(look.sent, look.end))
            case .denies:
                close(&claim, node, at: look.end, &evidence)
                deniedAt = look.sent
            case .silent:
                // Once its process is gone, silence is no claim: a new one begins with a look that finds a primary.
                if isGone { deniedAt = look.sent }
                if let open = claim, let exit = nodeExits.first(where: { covers($0, open.last, look) }) {
                    close(&claim, node, at: max(exit.upper, open.last.end), &evidence)
                    deniedAt = look.sent
                    isGone = true
                }
            }
            if claim?.last.sent != look.sent, claim != nil { markGap(&claim) }
        }
        close(&claim, node, at: end, &evidence)
    }

    /// A break in the looks that is longer than this leaves room for a primary that nobody saw: twice the usual distance
    /// of two looks, and at least a second, which a busy machine may take.
    private func blindness(of looks: [StateSample]) -> Span {
        var distances = zip(looks, looks.dropFirst()).map { ($1.sent - $0.sent).nanoseconds }
        distances.sort()
        let usual = distances.isEmpty ? 0 : distances[distances.count / 2]
        return max(.seconds(1), Span(nanoseconds: usual * 2))
    }

    /// The exit lies after the last claim began to be true and before the look that got no answer ended.
    private func covers(_ exit: InstantRange, _ last: StateSample, _ look: StateSample) -> Bool {
        exit.upper >= last.sent && exit.lower <= look.end
    }

    /// A silent look between two claims breaks the certain interval, not the possible one.
    private func markGap(_ claim: inout Claim?) {
        claim?.last.state = StateSample.unreachable
    }

    private func certify(_ node: Label, _ first: StateSample, _ second: StateSample, _ evidence: inout PrimaryEvidence)
    {
        guard first.state == StateSample.primary, first.end < second.sent else { return }
        // Merge with the interval before: thousands of looks are one claim.
        if let last = evidence.certain[node]?.last, last.upper >= first.sent {
            evidence.certain[node]?.removeLast()
            evidence.certain[node]?.append(InstantRange(last.lower, second.sent))
        } else {
            evidence.certain[node, default: []].append(InstantRange(first.end, second.sent))
        }
    }

    private func close(_ claim: inout Claim?, _ node: Label, at instant: Instant, _ evidence: inout PrimaryEvidence) {
        guard let open = claim else { return }
        evidence.add(node, certain: nil, possible: InstantRange(open.possibleFrom, instant))
        claim = nil
    }

    private func reading(of look: StateSample) -> Look {
        if look.state == StateSample.primary { return .claims }
        if look.state != StateSample.unreachable { return .denies }
        if cuts.contains(where: { $0.lower <= look.end && look.sent <= $0.upper }) { return .silent }
        if Self.refusals.contains(look.detail) { return .denies }
        return Self.breaks.contains(look.detail) && look.end - look.sent < Self.prompt ? .denies : .silent
    }
}
