internal import Basics

/// A shaping fault as rules for its members: trees and switches in some of them, the others being who these talk to.
package struct ShapedMembers: NamespaceRules {
    let name: String
    let comment: String
    let mark: TreeMark
    let impairment: Impairment
    let direction: FlowDirection
    let traffic: Traffic
    /// Indices of the members whose packets are meant.
    let shaped: [Int]
    let peers: ShapePeers

    package init(
        name: String, comment: String, mark: TreeMark, impairment: Impairment, direction: FlowDirection,
        traffic: Traffic, shaped: [Int], peers: ShapePeers
    ) {
        self.name = name
        self.comment = comment
        self.mark = mark
        self.impairment = impairment
        self.direction = direction
        self.traffic = traffic
        self.shaped = shaped
        self.peers = peers
    }

    package func work(run: String, _ members: [NamespaceMember]) -> NetworkWork {
        NetworkWork(mark: name, run: run, members: members, rules: self)
    }

    func tables(for index: Int, of members: [NamespaceMember], interfaces: [NamespaceReader.Link]) -> [TablePlan] {
        guard shaped.contains(index) else { return [] }
        let names = interfaces.filter { !TreeMark.isLink($0.index) }.sorted { $0.index < $1.index }.map(\.name)
        return SwitchRules(
            name: name, comment: comment, selection: selection(members), plan: ShapePlan(impairment), mark: mark,
            intermediates: ShapingTree.intermediates(mark, names)
        ).plans()
    }

    /// Which packets are meant, made from where all members are now.
    func selection(_ members: [NamespaceMember]) -> PacketSelection {
        PacketSelection(direction: direction, traffic: traffic, peers: peers.ranges(members))
    }

    func companion(
        for index: Int, of members: [NamespaceMember], in space: borrowing NetworkNamespace,
        interfaces: [NamespaceReader.Link]
    ) throws(NetworkError) -> (any NamespaceCompanion)? {
        guard shaped.contains(index) else { return nil }
        return try TreeCompanion(tree, try space.netlink(.route))
    }

    var tree: ShapingTree {
        ShapingTree(mark: mark, plan: ShapePlan(impairment), direction: direction, alias: comment)
    }
}

/// Whom the packets are exchanged with.
package enum ShapePeers: Sendable, Hashable, Codable {
    case anybody
    /// Members of the fault by their indices, wherever they are, and addresses of others.
    case some(members: [Int], outside: [AddressRange])

    func ranges(_ members: [NamespaceMember]) -> [AddressRange]? {
        switch self {
        case .anybody: nil
        case .some(let indices, let outside):
            outside + indices.filter(members.indices.contains).flatMap { members[$0].addresses }
        }
    }
}

/// The trees of one fault in one namespace, as long as its tables are there.
final class TreeCompanion: NamespaceCompanion {
    private let mark: TreeMark
    private let socket: NetlinkSocket

    init(_ tree: ShapingTree, _ socket: NetlinkSocket) throws(NetworkError) {
        mark = tree.mark
        self.socket = socket
        try tree.build(try Self.interfaces(socket), socket)
    }

    /// Those that packets of others come and go by: neither loopback nor a link of ours. In the order of their indices,
    /// which gives each the number of its link.
    static func interfaces(_ socket: NetlinkSocket) throws(NetworkError) -> [TreeReader.Link] {
        try TreeReader.links(socket).filter { !$0.isLoopback && !TreeMark.isLink($0.index) }
            .sorted { $0.index < $1.index }
    }

    func remove() throws(NetworkError) { try ShapingTree.remove(mark, socket) }
}
