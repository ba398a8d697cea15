internal import Basics
internal import Contracts
internal import Glibc
internal import Synchronization

/// Redirects a container's queries to name servers of ours, in its own namespace.
///
/// The redirect is a table that the kernel deletes with its socket; the set that it looks servers up in forgets them when
/// nobody renews it, so that a hung proxy blocks no names for long. The proxy's own queries bear a mark and pass.
final class NameInterception: NamespaceRules {
    private let name: String
    private let comment: String
    private let rule: NameRule
    private let servers: [AddressRange]
    /// Where the proxy for each server listens, by member.
    private let ports = Mutex<[Int: [NameProxy.Ports]]>([:])

    init(mark: String, run: String, rule: NameRule, servers: [AddressRange]) {
        name = mark
        comment = NetworkTables.comment + run
        self.rule = rule
        self.servers = servers
    }

    func companion(
        for index: Int, of members: [NamespaceMember], in space: borrowing NetworkNamespace,
        interfaces: [NamespaceReader.Link]
    ) throws(NetworkError) -> (any NamespaceCompanion)? {
        let companion = try NameProxies(for: servers, rule: rule, in: space)
        ports.withLock { $0[index] = companion.ports }
        return companion
    }

    func tables(for index: Int, of members: [NamespaceMember], interfaces: [NamespaceReader.Link]) -> [TablePlan] {
        let ports = ports.withLock { $0[index] ?? [] }
        guard ports.count == servers.count, !servers.isEmpty else { return [] }
        let sets = servers.enumerated().map { number, server in
            NftablesTable.AddressSet(
                name: "server\(number)", family: server.family, identifier: UInt32(number + 1), hasRanges: false)
        }
        let ours: [Expression] = [.load(.mark), .compare(.equal, hostOrder(NameProxy.mark)), .decide(.accept)]
        let ways = zip(sets, ports).flatMap { set, ports in
            [(set, UInt8(IPPROTO_UDP), ports.udp), (set, UInt8(IPPROTO_TCP), ports.tcp)]
        }
        let table = NftablesTable(
            family: .inet, name: name, comment: comment, sets: sets,
            chains: [
                .init(name: "names", hook: .outputTranslation, rules: [ours] + ways.map(Self.redirect)),
                .init(name: "stale", hook: .outputTranslated, rules: ways.map(Self.refuseStale)),
            ])
        let elements = zip(sets, servers).map { ($0.name, [$1]) }
        return [TablePlan(table: table, elements: Dictionary(elements) { first, _ in first })]
    }

    /// Queries to port 53 of the server in the set go to our port on loopback.
    private static func redirect(
        _ set: NftablesTable.AddressSet, _ transport: UInt8, _ port: UInt16
    ) -> [Expression] {
        // Where the destination stands in the two headers (RFC 791, RFC 8200).
        let offset: UInt32 = set.family == .version4 ? 16 : 24
        return [
            .load(.family), .compare(.equal, [set.family.rawValue]),
            .payload(.network, offset: offset, length: UInt32(set.family.length)),
            .lookup(set.name, setIdentifier: set.identifier),
            .load(.transport), .compare(.equal, [transport]),
            .payload(.transport, offset: 2, length: 2), .compare(.equal, bigEndian(UInt16(53))),
            .counter, .value(bigEndian(port)), .redirect,
        ]
    }

    /// A flow is redirected for as long as it lasts, even when the set has forgotten its server because nobody renews it:
    /// then it is refused, so that a program which keeps its socket opens another one and reaches the real server.
    private static func refuseStale(
        _ set: NftablesTable.AddressSet, _ transport: UInt8, _ port: UInt16
    ) -> [Expression] {
        let offset: UInt32 = set.family == .version4 ? 16 : 24
        return [
            .load(.family), .compare(.equal, [set.family.rawValue]),
            .payload(.network, offset: offset, length: UInt32(set.family.length)),
            .compare(.equal, AddressRange.loopback(set.family).first),
            .load(.transport), .compare(.equal, [transport]),
            .payload(.transport, offset: 2, length: 2), .compare(.equal, bigEndian(port)),
            .originalDestination(set.family), .lookupMissing(set.name, setIdentifier: set.identifier),
            .counter, .decide(transport == UInt8(IPPROTO_TCP) ? .rejectWithReset : .rejectWithMessage),
        ]
    }
}

/// The proxies of one namespace, one per server, with their thread.
private final class NameProxies: NamespaceCompanion {
    private let loop: EventLoop
    private let proxies: [NameProxy]
    private let servers: [AddressRange]
    private let flows: NetlinkSocket
    private var isRemoved = false
    var ports: [NameProxy.Ports] { proxies.map(\.ports) }

    init(
        for servers: [AddressRange], rule: NameRule, in space: borrowing NetworkNamespace
    ) throws(NetworkError) {
        do throws(SystemError) {
            loop = try EventLoop(name: "squall-names")
        } catch {
            throw NetworkError("start a thread", error)
        }
        self.servers = servers
        do throws(NetworkError) {
            flows = try space.netlink(.netfilter)
            var proxies: [NameProxy] = []
            for server in servers {
                proxies.append(try NameProxy(for: server, rule: rule, in: try space.copy(), on: loop))
            }
            for proxy in proxies { try proxy.start() }
            self.proxies = proxies
        } catch {
            loop.stop()
            throw error
        }
    }

    /// Without `remove` when the process of the namespace has ended: the sockets close with their proxies.
    deinit {
        if !isRemoved { loop.stop() }
    }

    func remove() throws(NetworkError) {
        isRemoved = true
        let (loop, proxies) = (loop, proxies)
        loop.schedule(at: SystemTimeSource().now) {
            for proxy in proxies { proxy.stop() }
            loop.stop()
        }
        try NameFlows.forget(to: servers, redirectedOnly: true, flows)
    }
}

/// What the kernel remembers of queries.
enum NameFlows {
    /// Forgets the flows to these servers, so that whoever keeps a socket is sent on anew at its next query.
    ///
    /// - Parameter redirectedOnly: those alone that were sent to a proxy of ours: their answers come from loopback, and
    ///   not from port 53. Docker's own translation answers from 127.0.0.11.
    static func forget(
        to servers: [AddressRange], redirectedOnly: Bool, _ socket: NetlinkSocket
    ) throws(NetworkError) {
        let flows: [ConnectionTracking.Flow]
        do throws(NetworkError) {
            flows = try ConnectionTracking.flows(socket)
        } catch {
            // Without ctnetlink flows end by themselves: 30 s after their last packet, or with their program's socket.
            if error.code == .unsupported || error.code == .invalid { return }
            throw error
        }
        let ours = flows.filter { flow in
            flow.port == 53 && servers.contains(flow.destination)
                && (!redirectedOnly
                    || (flow.answeredFrom != 53 && flow.answeredBy == .loopback(flow.destination.family)))
        }
        try ConnectionTracking.forget(ours, socket)
    }
}
