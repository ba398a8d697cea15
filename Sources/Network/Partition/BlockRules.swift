/// The tables by which one namespace blocks its peers; decides, touches nothing.
///
/// Where a packet is stopped decides what its sender notices. Dropped where it arrives (LOCAL_IN), a sender sees what a
/// cut cable shows: nothing. Dropped where it leaves (LOCAL_OUT), UDP's send() fails with EPERM, which no network ever
/// does; for peers that we do not control, packets leave and are stopped there: TCP at LOCAL_OUT, where its retries back
/// off as usual, and everything else at the interface (netdev egress), which the sender does not notice.
struct BlockRules {
    /// Peers whose packets may not come in, and peers to which none may go out.
    struct Peers: Hashable {
        var incoming: [AddressRange]
        var outgoing: [AddressRange]
    }

    let name: String
    let comment: String
    let traffic: Traffic
    let mode: BlockMode
    /// Whether the block goes on and off: then a set tells that it will come again.
    var isFlapping = false

    /// - Parameter interfaces: names of the namespace's interfaces but loopback.
    func plans(_ peers: Peers, interfaces: [String]) -> [TablePlan] {
        let incoming = sets("in", AddressRange.merged(peers.incoming), first: 1)
        let outgoing = sets("out", AddressRange.merged(peers.outgoing), first: 3)
        var chains: [NftablesTable.Chain] = []
        if !incoming.isEmpty { chains.append(.init(name: "in", hook: .input, rules: input(incoming.map(\.set)))) }
        if !outgoing.isEmpty { chains.append(.init(name: "out", hook: .output, rules: output(outgoing.map(\.set)))) }
        guard !chains.isEmpty else { return [] }
        var plans = [plan(.inet, incoming + outgoing + heartbeat, chains)]
        let silent = outgoing.isEmpty ? [] : egress(outgoing.map(\.set))
        if !silent.isEmpty, !interfaces.isEmpty {
            let chains = interfaces.enumerated().map { index, interface in
                NftablesTable.Chain(name: "egress\(index)", hook: .egress(interface: interface), rules: silent)
            }
            plans.append(plan(.netdev, outgoing, chains))
        }
        return plans
    }

    private var heartbeat: [Filled] {
        let set = NftablesTable.AddressSet(
            name: "alive", family: .version4, identifier: 5, hasRanges: false, isHeartbeat: true)
        return isFlapping ? [(set, [AddressRange(.version4, [0, 0, 0, 0])])] : []
    }

    private typealias Filled = (set: NftablesTable.AddressSet, ranges: [AddressRange])

    private func plan(_ family: NftablesTable.Family, _ sets: [Filled], _ chains: [NftablesTable.Chain]) -> TablePlan {
        let table = NftablesTable(
            family: family, name: name, comment: comment, sets: sets.map(\.set), chains: chains)
        return TablePlan(
            table: table, elements: Dictionary(sets.map { ($0.set.name, $0.ranges) }) { first, _ in first })
    }

    /// One set per version of the protocol that has a peer.
    private func sets(_ prefix: String, _ ranges: [AddressRange], first: UInt32) -> [Filled] {
        AddressFamily.allCases.enumerated().compactMap { index, family in
            let own = ranges.filter { $0.family == family }
            guard !own.isEmpty else { return nil }
            let set = NftablesTable.AddressSet(
                name: prefix + (family == .version4 ? "4" : "6"), family: family, identifier: first + UInt32(index),
                hasRanges: own.contains { !$0.isSingle })
            return (set, own)
        }
    }

    // MARK: Chains

    private func input(_ sets: [NftablesTable.AddressSet]) -> [[Expression]] {
        var rules = passes(.inputInterface)
        for set in sets {
            let prefix = peer(set, isSource: true)
            for alternative in matches(set.family) {
                switch mode {
                case .drop: rules.append(prefix + alternative + Self.drop)
                case .rejectICMP: rules.append(prefix + alternative + [.counter, .decide(.rejectWithMessage)])
                case .rejectTCP:
                    if traffic.includes(.tcp) { rules.append(prefix + alternative + Self.isTCP + Self.reset) }
                    rules.append(prefix + alternative + Self.drop)
                }
            }
        }
        return rules
    }

    private func output(_ sets: [NftablesTable.AddressSet]) -> [[Expression]] {
        var rules = passes(.outputInterface)
        for set in sets {
            let prefix = peer(set, isSource: false)
            for alternative in matches(set.family) {
                switch mode {
                case .drop: rules.append(prefix + Self.isTCP + alternative + Self.drop)
                case .rejectTCP: rules.append(prefix + Self.isTCP + alternative + Self.reset)
                case .rejectICMP: rules.append(prefix + alternative + [.counter, .decide(.rejectWithMessage)])
                }
            }
        }
        return rules
    }

    /// What is not TCP, where its sender does not notice. There are no families here: the Ethernet type tells.
    private func egress(_ sets: [NftablesTable.AddressSet]) -> [[Expression]] {
        if mode == .rejectICMP || traffic.protocols == [.tcp] { return [] }
        let match = match(isSource: false, isAtInterface: true)
        return [match.neighbourDiscovery + [.decide(.accept)]]
            + sets.flatMap { set in
                let prefix = match.peer(set) + [.load(.transport), .compare(.notEqual, [6])]
                return matches(set.family).map { prefix + $0 + Self.drop }
            }
    }

    /// What may pass before anything is looked at.
    ///
    /// Loopback, because "everything" as peer would take away Docker's name server at 127.0.0.11 and local health checks.
    /// Neighbour discovery, because IPv4's ARP passes, too: a one-way block would close the other way of IPv6 as well.
    /// With a reject, its own answers: a reset made on one side would be stopped by the other side's rule.
    private func passes(_ interface: Expression.Meta) -> [[Expression]] {
        var rules: [[Expression]] = [[.load(interface), .compare(.equal, hostOrder(UInt32(1))), .decide(.accept)]]
        rules.append(match(isSource: false).neighbourDiscovery + [.decide(.accept)])
        if mode != .drop {
            let flags: [Expression] = [
                .payload(.transport, offset: 13, length: 1), .mask([4]), .compare(.notEqual, [0]),
            ]
            rules.append(Self.isTCP + flags + [.decide(.accept)])
        }
        if mode == .rejectICMP {
            // Destination unreachable: type 3 of ICMP, type 1 of ICMPv6.
            for (number, type) in [(UInt8(1), UInt8(3)), (58, 1)] {
                rules.append([
                    .load(.transport), .compare(.equal, [number]), .payload(.transport, offset: 0, length: 1),
                    .compare(.equal, [type]), .decide(.accept),
                ])
            }
        }
        return rules
    }

    // MARK: Parts of rules

    private static let isTCP: [Expression] = [.load(.transport), .compare(.equal, [6])]
    private static let drop: [Expression] = [.counter, .decide(.drop)]
    private static let reset: [Expression] = [.counter, .decide(.rejectWithReset)]

    private func peer(_ set: NftablesTable.AddressSet, isSource: Bool) -> [Expression] {
        match(isSource: isSource).peer(set)
    }

    private func matches(_ family: AddressFamily) -> [[Expression]] { match(isSource: false).transports(family) }

    private func match(isSource: Bool, isAtInterface: Bool = false) -> PacketMatch {
        PacketMatch(traffic: traffic, peer: isSource ? .source : .destination, isAtInterface: isAtInterface)
    }
}
