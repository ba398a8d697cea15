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
            for match in matches(set.family) {
                switch mode {
                case .drop: rules.append(prefix + match + Self.drop)
                case .rejectICMP: rules.append(prefix + match + [.counter, .decide(.rejectWithMessage)])
                case .rejectTCP:
                    if traffic.includes(.tcp) { rules.append(prefix + match + Self.isTCP + Self.reset) }
                    rules.append(prefix + match + Self.drop)
                }
            }
        }
        return rules
    }

    private func output(_ sets: [NftablesTable.AddressSet]) -> [[Expression]] {
        var rules = passes(.outputInterface)
        for set in sets {
            let prefix = peer(set, isSource: false)
            for match in matches(set.family) {
                switch mode {
                case .drop: rules.append(prefix + Self.isTCP + match + Self.drop)
                case .rejectTCP: rules.append(prefix + Self.isTCP + match + Self.reset)
                case .rejectICMP: rules.append(prefix + match + [.counter, .decide(.rejectWithMessage)])
                }
            }
        }
        return rules
    }

    /// What is not TCP, where its sender does not notice. There are no families here: the Ethernet type tells.
    private func egress(_ sets: [NftablesTable.AddressSet]) -> [[Expression]] {
        if mode == .rejectICMP || traffic.protocols == [.tcp] { return [] }
        let version6: [Expression] = [.load(.protocolNumber), .compare(.equal, [0x86, 0xdd])]
        let neighbours = version6 + Self.isNeighbourDiscovery + [.decide(.accept)]
        return [neighbours]
            + sets.flatMap { set in
                let type: [UInt8] = set.family == .version4 ? [0x08, 0x00] : [0x86, 0xdd]
                let prefix: [Expression] =
                    [.load(.protocolNumber), .compare(.equal, type)] + lookup(set, isSource: false)
                    + [.load(.transport), .compare(.notEqual, [6])]
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
        rules.append(Self.isNeighbourDiscovery + [.decide(.accept)])
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

    /// Types 133 to 136 of ICMPv6 (RFC 4861).
    private static let isNeighbourDiscovery: [Expression] = [
        .load(.transport), .compare(.equal, [58]), .payload(.transport, offset: 0, length: 1),
        .compare(.greaterOrEqual, [133]), .compare(.lessOrEqual, [136]),
    ]

    private static let isTCP: [Expression] = [.load(.transport), .compare(.equal, [6])]
    private static let drop: [Expression] = [.counter, .decide(.drop)]
    private static let reset: [Expression] = [.counter, .decide(.rejectWithReset)]

    private func peer(_ set: NftablesTable.AddressSet, isSource: Bool) -> [Expression] {
        [.load(.family), .compare(.equal, [set.family.rawValue])] + lookup(set, isSource: isSource)
    }

    /// Offsets of the addresses in the two headers (RFC 791, RFC 8200).
    private func lookup(_ set: NftablesTable.AddressSet, isSource: Bool) -> [Expression] {
        let offset: UInt32 =
            switch set.family {
            case .version4: isSource ? 12 : 16
            case .version6: isSource ? 8 : 24
            }
        return [
            .payload(.network, offset: offset, length: UInt32(set.family.length)),
            .lookup(set.name, setIdentifier: set.identifier),
        ]
    }

    /// The protocols and ports: one alternative per element. Ports stand at the same place in TCP and UDP.
    private func matches(_ family: AddressFamily) -> [[Expression]] {
        if traffic.ports.isEmpty {
            if traffic.protocols.isEmpty { return [[]] }
            return traffic.protocols.map { [.load(.transport), .compare(.equal, [$0.number(family)])] }
        }
        let transports = Traffic.TransportProtocol.allCases.filter { $0 != .icmp && traffic.includes($0) }
        return transports.flatMap { transport in
            traffic.ports.flatMap { ports in
                // The port it goes to, and the port it comes from.
                [UInt32(2), 0].map { offset in
                    [
                        .load(.transport), .compare(.equal, [transport.number(family)]),
                        .payload(.transport, offset: offset, length: 2),
                        .compare(.greaterOrEqual, bigEndian(ports.first)),
                        .compare(.lessOrEqual, bigEndian(ports.last)),
                    ]
                }
            }
        }
    }
}
