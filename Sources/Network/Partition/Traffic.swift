/// Which packets between two sides a fault is about; everything when nothing is said.
package struct Traffic: Sendable, Hashable, Codable {
    /// Transport protocols by their names in a file.
    package enum TransportProtocol: String, Sendable, Hashable, Codable, CaseIterable {
        case tcp
        case udp
        case icmp

        /// The number in the packet; ICMP has one per version of the Internet Protocol.
        func number(_ family: AddressFamily) -> UInt8 {
            switch (self, family) {
            case (.tcp, _): 6
            case (.udp, _): 17
            case (.icmp, .version4): 1
            case (.icmp, .version6): 58
            }
        }
    }

    /// All of any when empty.
    package var protocols: [TransportProtocol]
    /// All of any when empty. A packet belongs to a port when it comes from it or goes to it.
    package var ports: [PortRange]

    package init(protocols: [TransportProtocol] = [], ports: [PortRange] = []) {
        self.protocols = protocols
        self.ports = ports
    }

    func includes(_ transport: TransportProtocol) -> Bool {
        if protocols.isEmpty { return ports.isEmpty || transport != .icmp }
        return protocols.contains(transport)
    }

    /// In words: `tcp port 5432`.
    package var summary: String {
        let names = protocols.map(\.rawValue).joined(separator: ", ")
        let numbers = ports.map { "\($0)" }.joined(separator: ", ")
        if ports.isEmpty { return protocols.isEmpty ? "all traffic" : names }
        return "\(names.isEmpty ? "tcp, udp" : names) port \(numbers)"
    }
}

/// One port, or all from one to another: `5432`, `8000-8010`.
package struct PortRange: Sendable, Hashable, Codable, CustomStringConvertible {
    package let first: UInt16
    package let last: UInt16

    /// Every port there is.
    static let any = PortRange(first: 1, last: 65_535)

    private init(first: UInt16, last: UInt16) {
        self.first = first
        self.last = last
    }

    package init?(parsing text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first.flatMap({ Self.port($0) }),
            let last = parts.count == 2 ? Self.port(parts[1]) : first, first <= last
        else { return nil }
        self.first = first
        self.last = last
    }

    private static func port(_ text: Substring) -> UInt16? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return UInt16(text).flatMap { $0 == 0 ? nil : $0 }
    }

    package var description: String { first == last ? "\(first)" : "\(first)-\(last)" }
}

/// What happens to a packet that may not pass.
package enum BlockMode: String, Sendable, Hashable, Codable, CaseIterable {
    /// It is lost: timeouts, as with a cut cable.
    case drop
    /// TCP is answered with a reset: connections fail and break at once; everything else is lost.
    case rejectTCP = "reject-tcp"
    /// It is answered with "administratively prohibited": new connections fail at once, existing ones time out.
    case rejectICMP = "reject-icmp"
}

/// Which way nothing passes, seen from side `a`.
package enum BlockDirection: String, Sendable, Hashable, Codable, CaseIterable {
    case both
    /// From `a` to `b`.
    case to
    /// From `b` to `a`.
    case from
}
