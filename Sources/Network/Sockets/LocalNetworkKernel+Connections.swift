package import Process

extension LocalNetworkKernel {
    /// The TCP connections of the namespace of `process` that the filter means.
    package func connections(
        _ filter: ConnectionFilter, of process: ProcessIdentity
    ) throws(NetworkError) -> [TCPConnection] {
        let socket = try open(process).netlink(.socketDiagnosis)
        return try SocketDiagnosis.connections(socket, states: filter.states).filter(filter.matches)
    }

    /// Ends those connections; returns which ones. Looks again until none is left, three times at most: one that is being
    /// made while the list is read would be missed.
    package func endConnections(
        _ filter: ConnectionFilter, of process: ProcessIdentity
    ) throws(NetworkError) -> [TCPConnection] {
        let socket = try open(process).netlink(.socketDiagnosis)
        var ended: [TCPConnection] = []
        for _ in 1...3 {
            let found = try SocketDiagnosis.connections(socket, states: filter.states).filter(filter.matches)
            if found.isEmpty { break }
            ended += try SocketDiagnosis.destroy(found, socket)
        }
        return ended
    }

    /// Throws when this kernel cannot end connections, or we may not: it is asked to end one that cannot exist.
    package func checkConnectionsCanBeEnded(of process: ProcessIdentity) throws(NetworkError) {
        let nobody = TCPConnection.End(address: AddressRange(.version4, [0, 0, 0, 0]), port: 0)
        let nothing = TCPConnection(
            family: .version4, state: .established, local: nobody, remote: nobody,
            identity: [UInt8](repeating: 0, count: 48))
        _ = try SocketDiagnosis.destroy([nothing], try open(process).netlink(.socketDiagnosis))
    }
}
