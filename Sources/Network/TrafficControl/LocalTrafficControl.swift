package import Basics
package import Contracts
internal import Glibc
internal import Process

/// Queueing trees and measurements on this machine's kernel.
///
/// On a thread of its own: a measurement lasts as long as the delay that it measures, and the kernel service's thread has
/// leases to renew meanwhile.
package actor LocalTrafficControl: TrafficControl {
    package nonisolated let loop: EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    let kernel: LocalNetworkKernel

    /// A fault that was switched on by this process, with its packets.
    private struct Claim {
        var rules: ShapedMembers
        var members: [NamespaceMember]
    }

    private var claims: [String: Claim] = [:]

    /// Starts the thread; opens no namespace.
    ///
    /// - Parameter kernel: the service that holds the tables of the same faults.
    package init(_ kernel: LocalNetworkKernel) throws(SystemError) {
        self.kernel = kernel
        loop = try EventLoop(name: "squall-traffic")
    }

    deinit {
        loop.stop()
    }

    // MARK: Before

    package func obstacle(
        to request: ShapeRequest, in member: NamespaceMember, of members: [NamespaceMember]
    ) async throws(NetworkError) -> ShapeObstacle? {
        let socket = try kernel.open(member.process).netlink(.route)
        let interfaces = try TreeCompanion.interfaces(socket)
        let disciplines = try TreeReader.disciplines(socket)
        let rules = request.rules
        if rules.direction.hasEgress, let root = ShapingTree.foreignRoot(interfaces, disciplines) {
            return .foreign("\(member.name): \(root)")
        }
        if let text = try await sharedPackets(rules, member, members) { return .conflict("\(member.name): \(text)") }
        return Self.mixedDuplication(rules, interfaces, disciplines).map { .conflict("\(member.name): \($0)") }
    }

    package func claim(_ mark: String, _ request: ShapeRequest, _ members: [NamespaceMember]) {
        claims[mark] = Claim(rules: request.rules, members: members)
    }

    /// A fault that has some of the same packets already, in words. One whose table is gone has none any more.
    private func sharedPackets(
        _ rules: ShapedMembers, _ member: NamespaceMember, _ members: [NamespaceMember]
    ) async throws(NetworkError) -> String? {
        let wanted = rules.selection(members)
        for (mark, claim) in claims where mark != rules.name {
            let isHere = claim.rules.shaped.contains { claim.members[$0].namespace == member.namespace }
            guard isHere, claim.rules.selection(claim.members).overlaps(wanted) else { continue }
            guard let count = try await kernel.elements(of: mark, in: member), count > 0 else { continue }
            return "\(claim.rules.impairment.summary) is there already for "
                + "\(claim.rules.selection(claim.members).summary), and a packet goes through one tree only"
        }
        return nil
    }

    /// The kernel refuses a netem that duplicates beside another one in the same tree, and one beside a duplicating one.
    private static func mixedDuplication(
        _ rules: ShapedMembers, _ interfaces: [TreeReader.Link], _ disciplines: [TreeReader.Entry]
    ) -> String? {
        guard rules.direction.hasEgress, rules.impairment.needsNetem else { return nil }
        for entry in disciplines where entry.kind == "netem" {
            guard let interface = interfaces.first(where: { $0.index == entry.interface }) else { continue }
            // struct tc_netem_qopt: duplicate is its fifth number.
            let isDuplicating = host32(entry.options[...], at: 16) > 0
            if isDuplicating || rules.impairment.duplicate > 0 {
                return
                    "\(interface.name) has a netem \(ShapingTree.text(entry.handle)) already, and the kernel takes no "
                    + "other one in a tree in which one duplicates packets"
            }
        }
        return nil
    }

    package func rehearse(_ request: ShapeRequest) throws(NetworkError) {
        let space = try NetworkNamespace()
        let route = try space.netlink(.route)
        let rules = request.rules
        // Loopback is all there is; a tree and a hook do not mind.
        let loopback = try TreeReader.links(route).filter(\.isLoopback)
        try rules.tree.build(loopback, route)
        let plans = SwitchRules(
            name: rules.name, comment: rules.comment, selection: rules.selection([]), plan: ShapePlan(rules.impairment),
            mark: rules.mark, intermediates: ShapingTree.intermediates(rules.mark, loopback.map(\.name))
        ).plans()
        let filter = try space.netlink(.netfilter)
        var batch = try NftablesBatch("rehearse", nextSequence: filter.nextSequence)
        for (index, plan) in plans.enumerated() { try batch.create(plan.table, isLast: index == plans.count - 1) }
        if !plans.isEmpty { try filter.transact(try batch.finish()) }
    }

    package func gateways(of member: NamespaceMember) throws(NetworkError) -> [AddressRange] {
        try TreeReader.gateways(try kernel.open(member.process).netlink(.route))
    }

    // MARK: After

    package func remove(_ mark: TreeMark) throws(NetworkError) {
        try inEveryNamespace { socket, _ throws(NetworkError) in try ShapingTree.remove(mark, socket) }
        claims = claims.filter { $0.value.rules.mark != mark }
    }

    package func parts(of mark: TreeMark) throws(NetworkError) -> [String] {
        var found: [String] = []
        try inEveryNamespace { socket, place throws(NetworkError) in
            found += try ShapingTree.parts(of: mark, socket).map { "\($0) in \(place.path)" }
        }
        return found
    }

    package func treesOfOurs() throws(NetworkError) -> SystemScan { try TreeScan.scan(NamespaceCensus()) }

    private func inEveryNamespace(
        _ body: (NetlinkSocket, NamespaceCensus.Place) throws(NetworkError) -> Void
    ) throws(NetworkError) {
        for place in NamespaceCensus().places {
            do throws(NetworkError) {
                let space = try NetworkNamespace(path: place.path)
                // The path may stand for another one by now.
                guard space.identity == place.identity else { continue }
                try body(try space.netlink(.route), place)
            } catch {
                // It may have ended since it was counted; one of another user's is out of reach for the injection, too.
                guard error.code == .notFound || error.code == .denied else { throw error }
            }
        }
    }

    // MARK: Measuring

    package func measure(_ flow: Flow) throws(NetworkError) -> FlowObservation {
        try FlowProbe(flow, opening: { process throws(NetworkError) in try kernel.open(process) }).run()
    }

    package func saturate(
        _ flow: Flow, _ mark: TreeMark, at pace: Bandwidth, for span: Span
    ) throws(NetworkError) -> [Throughput] {
        let socket = try kernel.open(flow.shaped.process).netlink(.route)
        return try FlowProbe(flow, opening: { process throws(NetworkError) in try kernel.open(process) }).saturate(
            at: pace, for: span
        ) { () throws(NetworkError) in
            try TreeReader.disciplines(socket).filter { $0.handle == mark.leaf(of: mark.shaped) }
        }
    }
}

/// Looks for trees and links of ours in every namespace; blocks, and belongs on the service's thread.
enum TreeScan {
    static let system = "queueing trees of this machine"

    /// - Parameter isWanted: which roots and links count, by namespace; tests look for their own.
    static func scan(
        _ census: NamespaceCensus, isWanted: (NamespaceIdentity) -> Bool = { _ in true }
    ) throws(NetworkError) -> SystemScan {
        if census.denied > 0, geteuid() != 0 {
            return SystemScan(
                system: system, failure: "\(census.denied) may not be opened; run squall leftovers as root")
        }
        var marks: [SystemScan.Mark] = []
        for place in census.places where isWanted(place.identity) {
            do throws(NetworkError) {
                let socket = try NetworkNamespace(path: place.path).netlink(.route)
                marks += try found(socket, place)
            } catch {
                guard error.code == .notFound || error.code == .denied || error.code == .invalid else { throw error }
            }
        }
        return SystemScan(system: system, marks: marks)
    }

    private static func found(
        _ socket: NetlinkSocket, _ place: NamespaceCensus.Place
    ) throws(NetworkError) -> [SystemScan.Mark] {
        let links = try TreeReader.links(socket)
        let names = Dictionary(links.map { ($0.index, $0.name) }) { first, _ in first }
        let roots = try TreeReader.disciplines(socket).filter { $0.handle == TreeMark.root && $0.kind == "htb" }
        func mark(_ what: String, _ command: String, run: String?) -> SystemScan.Mark {
            let leftover = Leftover(
                kind: "network.impair", target: place.path,
                description: "\(what) is in the network namespace \(place.identity.inode)",
                commands: ["squall heal --all", "nsenter --net=\(place.path) \(command)"])
            return SystemScan.Mark(leftover, run: run)
        }
        let trees = roots.filter { !TreeMark.isLink($0.interface) }.map { root in
            let name = names[root.interface] ?? "?"
            return mark("the queueing tree c4a5: on \(name)", "tc qdisc del dev \(name) root handle c4a5:", run: nil)
        }
        let ours = links.filter { $0.name.hasPrefix("sq") && TreeMark.isLink($0.index) }.map { link in
            let isTold = link.alias.hasPrefix(NetworkTables.comment)
            return mark(
                "the link \(link.name)", "ip link del \(link.name)",
                run: isTold ? String(link.alias.dropFirst(NetworkTables.comment.count)) : nil)
        }
        return trees + ours
    }
}
