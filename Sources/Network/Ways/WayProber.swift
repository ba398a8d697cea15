internal import Basics
internal import Contracts
internal import Process

/// Sends the packets that show whether ways are open. It waits for answers, on a thread of its own: the kernel service
/// has deadlines to keep meanwhile.
actor WayProber {
    private nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let host: any Host

    init(host: any Host) throws(SystemError) {
        self.host = host
        loop = try EventLoop(name: "squall-ways")
    }

    deinit {
        loop.stop()
    }

    func passing(
        _ paths: [ProbePath], of members: [NamespaceMember], within limit: Span
    ) throws(NetworkError) -> Set<Int> {
        let datagrams = try DatagramProbe(paths, of: members, opening: open)
        let connections = try ConnectionProbe(paths, of: members, opening: open)
        return datagrams.run(within: limit).union(connections.run(within: limit))
    }

    func leaving(_ paths: [ProbePath], of members: [NamespaceMember]) throws(NetworkError) -> Set<Int> {
        var taken: Set<Int> = []
        for (index, path) in paths.enumerated() {
            if try OutgoingProbe(path, of: members, opening: open).send() { taken.insert(index) }
        }
        return taken
    }

    private func open(_ process: ProcessIdentity) throws(NetworkError) -> NetworkNamespace {
        try NetworkNamespace.open(process, host)
    }
}
