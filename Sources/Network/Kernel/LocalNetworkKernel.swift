package import Basics
package import Contracts
internal import Glibc
package import Process

/// The network faults' hold on this machine's kernel: sockets in the targets' namespaces, renewed until released.
///
/// Everything blocks briefly and runs on a thread of its own. Nothing here needs to be undone when the process dies: the
/// kernel closes the sockets and deletes the tables that belong to them.
package actor LocalNetworkKernel: NetworkKernel {
    /// How long a fault lasts when nobody renews it.
    package static let lease = Span.seconds(6)
    static let interval = Span.milliseconds(1_500)

    package nonisolated let loop: EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    nonisolated let host: any Host
    nonisolated let prober: WayProber
    let time = SystemTimeSource()
    var held: [String: HeldFault] = [:]
    /// Released, with nothing of theirs left but sockets.
    var retired: [HeldFault] = []
    var watchers: [AsyncStream<Set<String>>.Continuation] = []

    /// Starts the thread; opens no namespace.
    package init(host: any Host) throws(SystemError) {
        self.host = host
        loop = try EventLoop(name: "squall-network")
        prober = try WayProber(host: host)
    }

    deinit {
        loop.stop()
    }

    // MARK: Looking

    package func look(at process: ProcessIdentity) throws(NetworkError) -> NamespaceFacts {
        let space = try open(process)
        guard try !isMachinesOwn(space.identity) else {
            throw NetworkError("change the network of the machine itself (process \(process.pid))", errno: EPERM)
        }
        let (netfilter, route) = try space.netlinkPair()
        // Asking changes nothing, and shows whether there are nf_tables and whether we may use them.
        _ = try NftablesReader.tables(netfilter)
        let addresses = try NamespaceReader.addresses(route)
        return NamespaceFacts(identity: space.identity, addresses: addresses)
    }

    /// Ours, and that of the first process. The second may be out of our sight, when squall runs in a container itself:
    /// then it is not our machine's to protect, and the engine's word for a container's network is what remains.
    private func isMachinesOwn(_ identity: NamespaceIdentity) throws(NetworkError) -> Bool {
        if try NetworkNamespace(path: "/proc/self/ns/net").identity == identity { return true }
        do throws(NetworkError) {
            return try NetworkNamespace(path: "/proc/1/ns/net").identity == identity
        } catch {
            if error.code == .denied { return false }
            throw error
        }
    }

    nonisolated func open(_ process: ProcessIdentity) throws(NetworkError) -> NetworkNamespace {
        try NetworkNamespace.open(process, host)
    }

    package func elements(of mark: String, in member: NamespaceMember) throws(NetworkError) -> Int? {
        do throws(NetworkError) {
            let space = try open(member.process)
            // A process that moved took nothing of ours along.
            guard space.identity == member.namespace else { return nil }
            let socket = try space.netlink(.netfilter)
            return try count(mark, socket)
        } catch {
            // The process or the table went away while it was looked at.
            if error.code == .notFound { return nil }
            throw error
        }
    }

    /// nil when no table has this name.
    private func count(_ mark: String, _ socket: NetlinkSocket) throws(NetworkError) -> Int? {
        let tables = try NftablesReader.tables(socket).filter { $0.name == mark }
        if tables.isEmpty { return nil }
        var count = 0
        for table in tables {
            guard let family = NftablesTable.Family(rawValue: table.family) else { continue }
            for set in try NftablesReader.sets(of: mark, family: table.family, socket) {
                count += try NftablesReader.elements(of: set, table: mark, family: family, socket).count
            }
        }
        return count
    }

    package func places(of mark: String) throws(NetworkError) -> [String] {
        var found: [String] = []
        for place in NamespaceCensus().places {
            do throws(NetworkError) {
                let socket = try NetworkNamespace(path: place.path).netlink(.netfilter)
                if let count = try count(mark, socket), count > 0 { found.append(place.path) }
            } catch {
                switch error.code {
                // It has ended since it was counted, or it is somebody else's, whom we could not have changed.
                case .notFound, .denied, .invalid: continue
                case .unsupported, .exists, .tooLarge, .timeout, .unexpected: throw error
                }
            }
        }
        return found
    }

    package func tablesOfOurs() throws(NetworkError) -> SystemScan { try NetworkTables.scan(NamespaceCensus()) }
}
