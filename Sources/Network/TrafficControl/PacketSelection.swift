/// Which way packets go, seen from the target.
package enum FlowDirection: String, Sendable, Hashable, Codable, CaseIterable {
    /// What it sends.
    case egress
    /// What it receives.
    case ingress
    case both

    var hasEgress: Bool { self != .ingress }
    var hasIngress: Bool { self != .egress }
}

/// The packets of a target that a fault is about.
package struct PacketSelection: Sendable, Hashable, Codable {
    package var direction: FlowDirection
    package var traffic: Traffic
    /// The other ends; nil: whoever it is.
    package var peers: [AddressRange]?

    package init(direction: FlowDirection, traffic: Traffic = Traffic(), peers: [AddressRange]? = nil) {
        self.direction = direction
        self.traffic = traffic
        self.peers = peers
    }

    /// What a rule's sets are filled with.
    var ranges: [AddressRange] {
        AddressRange.merged(
            peers
                ?? AddressFamily.allCases.map { family in
                    AddressRange(
                        family, [UInt8](repeating: 0, count: family.length),
                        [UInt8](repeating: 255, count: family.length))
                })
    }

    /// Whether a packet may belong to both: then the one fault would take it from the other, unseen.
    ///
    /// Two lists of ports without a common one count as apart, although a packet may go from one of these to one of those.
    func overlaps(_ other: PacketSelection) -> Bool {
        let isSameWay =
            direction.hasEgress && other.direction.hasEgress || direction.hasIngress && other.direction.hasIngress
        let isSamePeer = ranges.contains { range in other.ranges.contains { $0.overlaps(range) } }
        let isSameTransport = Traffic.TransportProtocol.allCases.contains {
            traffic.includes($0) && other.traffic.includes($0)
        }
        let isEither = traffic.ports.isEmpty || other.traffic.ports.isEmpty
        let isSamePort = traffic.ports.contains { own in
            other.traffic.ports.contains { own.first <= $0.last && $0.first <= own.last }
        }
        return isSameWay && isSamePeer && isSameTransport && (isEither || isSamePort)
    }

    /// In words: `tcp port 5432, egress`.
    package var summary: String {
        let names = peers.map { " with \($0.map(\.description).joined(separator: ", "))" } ?? ""
        return "\(traffic.summary)\(names), \(direction == .both ? "egress and ingress" : direction.rawValue)"
    }
}
