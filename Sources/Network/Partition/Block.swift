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
        /// Indices of the members of the same side: they are no outsiders, although a block may hold their addresses.
        package var spared: [Int]

        package init(
            peers: [Int] = [], incoming: [AddressRange] = [], outgoing: [AddressRange] = [], spared: [Int] = []
        ) {
            self.peers = peers
            self.incoming = incoming
            self.outgoing = outgoing
            self.spared = spared
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
    /// Whether it goes on and off.
    package var isFlapping = false

    /// All whom a member does not hear any more, or who do not hear it.
    func others(_ index: Int) -> [AddressRange] {
        let cut = cuts[index]
        let peers = members.indices.filter { cut.peers.contains($0) || cuts[$0].peers.contains(index) }
        let outside = AddressRange.subtracting(
            cut.spared.flatMap { members[$0].addresses }, from: cut.incoming + cut.outgoing)
        return outside + peers.flatMap { members[$0].addresses }
    }

    package init(
        mark: String, run: String, traffic: Traffic, mode: BlockMode, members: [NamespaceMember], cuts: [Cut]
    ) {
        self.mark = mark
        self.run = run
        self.traffic = traffic
        self.mode = mode
        self.members = members
        self.cuts = cuts
    }

    /// As the kernel service takes it.
    package var work: NetworkWork {
        NetworkWork(
            mark: mark, run: run, members: members,
            rules: BlockedPeers(
                rules: BlockRules(
                    name: mark, comment: NetworkTables.comment + run, traffic: traffic, mode: mode,
                    isFlapping: isFlapping),
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
        func addresses(_ indices: [Int]) -> [AddressRange] {
            indices.filter(members.indices.contains).flatMap { members[$0].addresses }
        }
        let spared = addresses(cut.spared)
        return rules.plans(
            .init(
                incoming: AddressRange.subtracting(spared, from: cut.incoming) + addresses(cut.peers),
                outgoing: AddressRange.subtracting(spared, from: cut.outgoing)), interfaces: interfaces.map(\.name))
    }
}
