/// The part of a rule that decides whether a packet is one of a selection's.
struct PacketMatch {
    /// Where the other end's address stands.
    enum Peer {
        case source
        case destination
    }

    let traffic: Traffic
    let peer: Peer
    /// In the family netdev there are no families of addresses: the Ethernet type tells.
    let isAtInterface: Bool

    /// One alternative per element, each ready to be followed by what is to happen.
    func alternatives(_ set: NftablesTable.AddressSet) -> [[Expression]] {
        let prefix = peer(set)
        return transports(set.family).map { prefix + $0 }
    }

    /// Whether the other end's address is in the set.
    func peer(_ set: NftablesTable.AddressSet) -> [Expression] { family(set.family) + lookup(set) }

    /// Types 133 to 136 of ICMPv6 (RFC 4861). They pass as IPv4's ARP does: a fault of the way must not become one of the
    /// neighbour table.
    var neighbourDiscovery: [Expression] {
        (isAtInterface ? family(.version6) : [])
            + [
                .load(.transport), .compare(.equal, [58]), .payload(.transport, offset: 0, length: 1),
                .compare(.greaterOrEqual, [133]), .compare(.lessOrEqual, [136]),
            ]
    }

    private func family(_ family: AddressFamily) -> [Expression] {
        guard isAtInterface else { return [.load(.family), .compare(.equal, [family.rawValue])] }
        let type: [UInt8] = family == .version4 ? [0x08, 0x00] : [0x86, 0xdd]
        return [.load(.protocolNumber), .compare(.equal, type)]
    }

    /// Offsets of the addresses in the two headers (RFC 791, RFC 8200).
    private func lookup(_ set: NftablesTable.AddressSet) -> [Expression] {
        let offset: UInt32 =
            switch (set.family, peer) {
            case (.version4, .source): 12
            case (.version4, .destination): 16
            case (.version6, .source): 8
            case (.version6, .destination): 24
            }
        return [
            .payload(.network, offset: offset, length: UInt32(set.family.length)),
            .lookup(set.name, setIdentifier: set.identifier),
        ]
    }

    /// Ports stand at the same place in TCP and UDP: the one it goes to and the one it comes from.
    func transports(_ family: AddressFamily) -> [[Expression]] {
        if traffic.ports.isEmpty {
            if traffic.protocols.isEmpty { return [[]] }
            return traffic.protocols.map { [.load(.transport), .compare(.equal, [$0.number(family)])] }
        }
        let transports = Traffic.TransportProtocol.allCases.filter { $0 != .icmp && traffic.includes($0) }
        return transports.flatMap { transport in
            traffic.ports.flatMap { ports in
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
