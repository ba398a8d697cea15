/// The tables that lead a namespace's packets into its tree; decides, touches nothing.
///
/// The tree stays when squall dies, the tables do not: without them every packet goes straight to its interface. What is
/// lost on its way out is led into a class that loses it, because a rule that drops at the output tells UDP's sender with
/// EPERM. What is lost on its way in is dropped where it arrives, which nobody is told.
struct SwitchRules {
    let name: String
    let comment: String
    let selection: PacketSelection
    let plan: ShapePlan
    let mark: TreeMark
    /// Interfaces whose incoming packets take the way over a link of ours, by that link's index.
    let intermediates: [Intermediate]

    struct Intermediate: Hashable {
        var interface: String
        var link: Int32
    }

    /// One table with the addresses that its sets get when the fault is armed.
    func plans() -> [TablePlan] {
        let sets = filledSets
        var chains: [NftablesTable.Chain] = []
        if selection.direction.hasEgress { chains.append(egress(sets.map(\.set))) }
        if selection.direction.hasIngress, !plan.isShaping { chains.append(input(sets.map(\.set))) }
        var plans = chains.isEmpty ? [] : [table(.inet, sets, chains)]
        if selection.direction.hasIngress, plan.isShaping, !intermediates.isEmpty {
            let chains = intermediates.enumerated().map { index, way in
                NftablesTable.Chain(
                    name: "ingress\(index)", hook: .ingress(interface: way.interface),
                    rules: ingress(sets.map(\.set), over: way.link))
            }
            plans.append(table(.netdev, sets, chains))
        }
        return plans
    }

    private typealias Filled = (set: NftablesTable.AddressSet, ranges: [AddressRange])

    private func table(
        _ family: NftablesTable.Family, _ sets: [Filled], _ chains: [NftablesTable.Chain]
    ) -> TablePlan {
        TablePlan(
            table: NftablesTable(family: family, name: name, comment: comment, sets: sets.map(\.set), chains: chains),
            elements: Dictionary(sets.map { ($0.set.name, $0.ranges) }) { first, _ in first })
    }

    private var filledSets: [Filled] {
        AddressFamily.allCases.enumerated().compactMap { index, family in
            let own = selection.ranges.filter { $0.family == family }
            guard !own.isEmpty else { return nil }
            let set = NftablesTable.AddressSet(
                name: "peers" + (family == .version4 ? "4" : "6"), family: family, identifier: UInt32(index + 1),
                hasRanges: own.contains { !$0.isSingle })
            return (set, own)
        }
    }

    // MARK: Chains

    /// After routing, when a packet's way is known; for what is forwarded, too.
    private func egress(_ sets: [NftablesTable.AddressSet]) -> NftablesTable.Chain {
        let match = PacketMatch(traffic: selection.traffic, peer: .destination, isAtInterface: false)
        let shaped = [Expression.counter, .classify(mark.shaped), .decide(.accept)]
        let lost = [Expression.counter, .classify(mark.lost), .decide(.accept)]
        return NftablesTable.Chain(
            name: "egress", hook: .postrouting,
            rules: Self.passes(.outputInterface, match) + rules(sets, match, shaped: shaped, lost: lost))
    }

    private func input(_ sets: [NftablesTable.AddressSet]) -> NftablesTable.Chain {
        let match = PacketMatch(traffic: selection.traffic, peer: .source, isAtInterface: false)
        return NftablesTable.Chain(
            name: "ingress", hook: .input,
            rules: Self.passes(.inputInterface, match)
                + rules(sets, match, shaped: [], lost: [.counter, .decide(.drop)]))
    }

    private func ingress(_ sets: [NftablesTable.AddressSet], over link: Int32) -> [[Expression]] {
        let match = PacketMatch(traffic: selection.traffic, peer: .source, isAtInterface: true)
        return [match.neighbourDiscovery + [.decide(.accept)]]
            + rules(
                sets, match, shaped: [.counter, .classify(mark.shaped), .forward(interface: UInt32(link))],
                lost: [.counter, .decide(.drop)])
    }

    /// Loopback carries Docker's name server at 127.0.0.11 and local health checks; nothing of it leaves.
    private static func passes(_ interface: Expression.Meta, _ match: PacketMatch) -> [[Expression]] {
        [
            [.load(interface), .compare(.equal, hostOrder(UInt32(1))), .decide(.accept)],
            match.neighbourDiscovery + [.decide(.accept)],
        ]
    }

    /// For each alternative first the share that is lost, then the rest, so that a packet is drawn for once.
    private func rules(
        _ sets: [NftablesTable.AddressSet], _ match: PacketMatch, shaped: [Expression], lost: [Expression]
    ) -> [[Expression]] {
        sets.flatMap { match.alternatives($0) }.flatMap { alternative -> [[Expression]] in
            var rules: [[Expression]] = []
            if plan.lost > 0 { rules.append(alternative + (plan.lost < 1 ? [.draw(plan.lost)] : []) + lost) }
            let rest = plan.isShaping ? shaped : [.counter, .decide(.accept)]
            if plan.lost < 1 { rules.append(alternative + rest) }
            return rules
        }
    }
}
