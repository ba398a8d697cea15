/// Peers kept apart in some namespaces, with one mark on all that is made for it.
package struct Block: Sendable, Hashable, Codable {
    /// What one member is cut off from.
    package struct Cut: Sendable, Hashable, Codable {
        /// Indices of the members whose packets may not come in, wherever these members are.
        package var peers: [Int]
        /// Outsiders whose packets may not come in.
        package var incoming: [AddressRange]
        /// Outsiders to which none may go out.
        package var outgoing: [AddressRange]

        package init(peers: [Int] = [], incoming: [AddressRange] = [], outgoing: [AddressRange] = []) {
            self.peers = peers
            self.incoming = incoming
            self.outgoing = outgoing
        }

        /// Whether anything at all is stopped.
        var isEmpty: Bool { peers.isEmpty && incoming.isEmpty && outgoing.isEmpty }
    }

    /// Name of the tables: nothing else is ever touched.
    package var mark: String
    package var run: String
    package var traffic: Traffic
    package var mode: BlockMode
    package var members: [NamespaceMember]
    /// One per member.
    package var cuts: [Cut]

    /// As the kernel service takes it.
    var work: NetworkWork {
        NetworkWork(
            mark: mark, run: run, members: members,
            rules: BlockedPeers(
                rules: BlockRules(name: mark, comment: NetworkTables.comment + run, traffic: traffic, mode: mode),
                cuts: cuts))
    }
}

/// A block as rules for its members: what arrives from a member is known by the addresses that member has now.
struct BlockedPeers: NamespaceRules {
    let rules: BlockRules
    let cuts: [Block.Cut]

    func tables(for index: Int, of members: [NamespaceMember], interfaces: [NamespaceReader.Link]) -> [TablePlan] {
        guard cuts.indices.contains(index) else { return [] }
        let cut = cuts[index]
        let peers = cut.peers.filter(members.indices.contains).flatMap { members[$0].addresses }
        return rules.plans(
            .init(incoming: cut.incoming + peers, outgoing: cut.outgoing), interfaces: interfaces.map(\.name))
    }
}
