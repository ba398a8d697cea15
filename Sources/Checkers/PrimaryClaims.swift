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

    /// - Parameter looks: of one states probe, by node.
    func evidence(of looks: [(node: Label, list: StateList)]) -> PrimaryEvidence {
        var evidence = PrimaryEvidence()
        let end = looks.lazy.compactMap { $0.list.lazy.map(\.end.nanoseconds).max() }.max() ?? 0
        for (node, list) in looks {
            let found = read(
                list.sorted(by: \.sent.nanoseconds), exits: exits.of(node), until: Instant(nanoseconds: end))
            evidence.set(node, certain: found.certain, possible: found.possible, instants: found.instants)
        }
        return evidence
    }

    private func read(_ looks: StateList, exits: [InstantRange], until end: Instant) -> Findings {
        var findings = Findings(exits: exits)
        let blind = blindness(of: looks)
        var before: StateSample?
        for look in looks {
            // Nobody looked: the node may have been anything meanwhile.
            if let before, look.sent - before.end > blind { findings.missed(from: before, to: look) }
            before = look
            findings.take(look, reading(of: look))
        }
        findings.close(at: end)
        return findings
    }

    /// A break in the looks that is longer than this leaves room for a primary that nobody saw: twice the usual distance
    /// of two looks, and at least a second, which a busy machine may take.
    private func blindness(of looks: StateList) -> Span {
        var distances = zip(looks, looks.dropFirst()).map { ($1.sent - $0.sent).nanoseconds }
        distances.sort()
        let usual = distances.isEmpty ? 0 : distances[distances.count / 2]
        return max(.seconds(1), Span(nanoseconds: usual * 2))
    }

    private func reading(of look: StateSample) -> Reading {
        if look.state == StateSample.primary { return .claims }
        if look.state != StateSample.unreachable { return .denies }
        if cuts.contains(where: { $0.lower <= look.end && look.sent <= $0.upper }) { return .silent }
        if Self.refusals.contains(look.detail) { return .denies }
        return Self.breaks.contains(look.detail) && look.end - look.sent < Self.prompt ? .denies : .silent
    }
}

extension PrimaryClaims {
    /// Why one look settles or leaves open whether the node is primary.
    private enum Reading {
        case claims
        case denies
        case silent
    }

    /// A claim that is open, with the last look that found it.
    private struct Claim {
        var possibleFrom: Instant
        var last: InstantRange
        /// A look between that one and the next did not confirm it: the certain interval is broken, the possible one not.
        var isBroken = false
    }

    /// What the looks at one node say, taken one after the other.
    private struct Findings {
        private(set) var certain: [InstantRange] = []
        private(set) var possible: [InstantRange] = []
        private(set) var instants: [InstantRange] = []
        private let exits: [InstantRange]
        private var claim: Claim?
        private var deniedAt: Instant?
        private var isGone = false

        init(exits: [InstantRange]) {
            self.exits = exits
        }

        mutating func missed(from before: StateSample, to look: StateSample) {
            possible.append(InstantRange(before.end, look.end))
            deniedAt = nil
            claim?.isBroken = true
        }

        mutating func take(_ look: StateSample, _ reading: Reading) {
            switch reading {
            case .claims:
                isGone = false
                if let claim, !claim.isBroken { certify(claim.last, look) }
                let range = InstantRange(look.sent, look.end)
                claim = Claim(possibleFrom: claim?.possibleFrom ?? deniedAt ?? look.sent, last: range)
                instants.append(range)
            case .denies:
                close(at: look.end)
                deniedAt = look.sent
            case .silent:
                claim?.isBroken = true
                // Once its process is gone, silence is no claim: a new one begins with a look that finds a primary.
                if isGone { deniedAt = look.sent }
                if let claim, let exit = exits.first(where: { covers($0, claim.last, look) }) {
                    close(at: max(exit.upper, claim.last.upper))
                    deniedAt = look.sent
                    isGone = true
                }
            }
        }

        /// The exit lies after the last claim began to be true and before the look that got no answer ended.
        private func covers(_ exit: InstantRange, _ last: InstantRange, _ look: StateSample) -> Bool {
            exit.upper >= last.lower && exit.lower <= look.end
        }

        private mutating func certify(_ first: InstantRange, _ second: StateSample) {
            guard first.upper < second.sent else { return }
            // Merge with the interval before: thousands of looks are one claim.
            if let last = certain.last, last.upper >= first.lower {
                certain[certain.count - 1].upper = second.sent
            } else {
                certain.append(InstantRange(first.upper, second.sent))
            }
        }

        mutating func close(at instant: Instant) {
            guard let open = claim else { return }
            possible.append(InstantRange(open.possibleFrom, instant))
            claim = nil
        }
    }
}
