/// Which TCP connections of a namespace are meant; what is empty leaves everything open.
package struct ConnectionFilter: Sendable, Hashable, Codable {
    /// The other end has one of these addresses.
    package var remote: [AddressRange]
    /// This end has one of these addresses.
    package var local: [AddressRange]
    /// One end or the other has one of these ports: a client's connection to 5432, and a server's from it.
    package var ports: [PortRange]
    package var states: Set<TCPState>
    /// Connections of the namespace with itself: health checks, and Docker's name server at 127.0.0.11.
    package var includesLoopback: Bool

    package init(
        remote: [AddressRange] = [], local: [AddressRange] = [], ports: [PortRange] = [],
        states: Set<TCPState> = Set(TCPState.allCases), includesLoopback: Bool = false
    ) {
        self.remote = AddressRange.merged(remote)
        self.local = AddressRange.merged(local)
        self.ports = ports
        self.states = states
        self.includesLoopback = includesLoopback
    }

    package func matches(_ connection: TCPConnection) -> Bool {
        guard states.contains(connection.state) else { return false }
        if !includesLoopback, connection.remote.address.isLoopback || connection.local.address.isLoopback {
            return false
        }
        return Self.contains(remote, connection.remote.address) && Self.contains(local, connection.local.address)
            && (ports.isEmpty
                || ports.contains { $0.contains(connection.local.port) || $0.contains(connection.remote.port) })
    }

    private static func contains(_ ranges: [AddressRange], _ address: AddressRange) -> Bool {
        ranges.isEmpty || ranges.contains { $0.overlaps(address) }
    }

    /// In words: `to 10.0.0.2 port 5432`; empty when everything is meant.
    package var summary: String {
        var parts: [String] = []
        if !remote.isEmpty { parts.append("with \(remote.map(\.description).joined(separator: ", "))") }
        if !local.isEmpty { parts.append("on \(local.map(\.description).joined(separator: ", "))") }
        if !ports.isEmpty { parts.append("port \(ports.map(\.description).joined(separator: ", "))") }
        return parts.joined(separator: " ")
    }
}

extension PortRange {
    func contains(_ port: UInt16) -> Bool { first <= port && port <= last }
}
