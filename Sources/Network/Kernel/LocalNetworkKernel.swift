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
    private static let interval = Span.milliseconds(1_500)

    private struct Held {
        var spaces: [HeldNamespace]
        var isArmed = false
        var renewedAt = Instant(nanoseconds: 0)
        var timer: EventLoop.Timer?
        var report: @Sendable (HoldEvent) -> Void
    }

    package nonisolated let loop: EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    let host: any Host
    private let time = SystemTimeSource()
    private var held: [String: Held] = [:]

    /// Starts the thread; opens no namespace.
    package init(host: any Host) throws(SystemError) {
        self.host = host
        loop = try EventLoop(name: "squall-network")
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
        let addresses = try NamespaceReader.addresses(try space.netlink(.route))
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

    /// The namespace of exactly this process: it is looked at again after the open, so that a pid that was given away in
    /// between is noticed.
    func open(_ process: ProcessIdentity) throws(NetworkError) -> NetworkNamespace {
        guard try isAlive(process) else { throw NetworkError("find process \(process.pid)", errno: ESRCH) }
        let space = try NetworkNamespace(ofProcess: process.pid)
        guard try isAlive(process) else { throw NetworkError("find process \(process.pid)", errno: ESRCH) }
        return space
    }

    private func isAlive(_ process: ProcessIdentity) throws(NetworkError) -> Bool {
        do throws(SystemError) {
            guard let state = try host.process(process)?.state() else { return false }
            return state != "Z" && state != "X"
        } catch {
            throw NetworkError("find process \(process.pid)", error)
        }
    }

    package func elements(of mark: String, in member: NamespaceMember) throws(NetworkError) -> Int? {
        do throws(NetworkError) {
            let space = try open(member.process)
            // A process that moved took nothing of ours along.
            guard space.identity == member.namespace else { return nil }
            let socket = try space.netlink(.netfilter)
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
        } catch {
            // The process or the table went away while it was looked at.
            if error.code == .notFound { return nil }
            throw error
        }
    }

    package func tablesOfOurs() throws(NetworkError) -> SystemScan { try NetworkTables.scan(NamespaceCensus()) }

    // MARK: Holding

    package func install(
        _ work: NetworkWork, report: @escaping @Sendable (HoldEvent) -> Void
    ) throws(NetworkError) {
        var spaces: [HeldNamespace] = []
        do throws(NetworkError) {
            for (index, member) in work.members.enumerated() {
                let space = try open(member.process)
                guard space.identity == member.namespace else {
                    throw NetworkError("\(member.name) has moved to another network namespace", errno: ESTALE)
                }
                spaces.append(try HeldNamespace(index, of: work, in: space))
            }
        } catch {
            for space in spaces { leavingToTheSocket { () throws(NetworkError) in try space.delete() } }
            throw error
        }
        held[work.mark] = Held(spaces: spaces, report: report)
        for space in spaces { try watch(space, work.mark) }
    }

    /// Lets go of a namespace at once when its process ends: our socket alone would keep it alive.
    private func watch(_ space: HeldNamespace, _ mark: String) throws(NetworkError) {
        let name = space.member.name
        do throws(SystemError) {
            try loop.watch(space.process.number, for: .readable) { [weak self] _ in
                self?.assumeIsolated { $0.processEnded(name, mark) }
            }
        } catch {
            release(mark)
            throw NetworkError("watch \(name)", error)
        }
    }

    private func processEnded(_ name: String, _ mark: String) {
        guard let index = held[mark]?.spaces.firstIndex(where: { $0.member.name == name }),
            let space = held[mark]?.spaces.remove(at: index)
        else { return }
        loop.unwatch(space.process.number)
        held[mark]?.report(.lost("\(name) ended while it was cut off; its network is let go"))
    }

    package func arm(_ mark: String) throws(NetworkError) -> InstantRange {
        guard let spaces = held[mark]?.spaces else { throw NetworkError("arm \(mark)", errno: ENOENT) }
        let began = time.now
        for space in spaces { try space.arm(for: Self.lease) }
        held[mark]?.isArmed = true
        held[mark]?.renewedAt = began
        renewLater(mark, at: began + Self.interval)
        return InstantRange(began, time.now)
    }

    private func renewLater(_ mark: String, at instant: Instant) {
        held[mark]?.timer = loop.schedule(at: instant) { [weak self] in self?.assumeIsolated { $0.renew(mark) } }
    }

    /// A lease that ran out stays out: whoever healed in our place, or the kernel, must not be overruled.
    private func renew(_ mark: String) {
        guard let current = held[mark], current.isArmed else { return }
        let now = time.now
        guard now - current.renewedAt < Self.lease else {
            held[mark]?.isArmed = false
            current.report(.lost("nobody renewed the block for \(now - current.renewedAt): the kernel lifted it"))
            return
        }
        do throws(NetworkError) {
            for space in current.spaces { try space.renew(for: Self.lease) }
            held[mark]?.renewedAt = now
        } catch {
            // The next try may still be in time; when none is, the lease has run out, and that is told.
        }
        renewLater(mark, at: now + Self.interval)
    }

    package func release(_ mark: String) {
        guard let current = held.removeValue(forKey: mark) else { return }
        if let timer = current.timer { loop.cancel(timer) }
        for space in current.spaces { loop.unwatch(space.process.number) }
        // All first let traffic pass, then all are cleaned up.
        for space in current.spaces { leavingToTheSocket { () throws(NetworkError) in try space.disarm() } }
        for space in current.spaces { leavingToTheSocket { () throws(NetworkError) in try space.delete() } }
    }

    /// A request that fails is no failed heal: the socket closes when `release` is over, and the kernel then deletes the
    /// tables itself. Whether it did is read back by whoever healed.
    private func leavingToTheSocket(_ body: () throws(NetworkError) -> Void) {
        do throws(NetworkError) {
            try body()
        } catch {
            return
        }
    }
}
