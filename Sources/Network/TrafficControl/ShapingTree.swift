internal import Basics

/// The queueing trees of one fault in one namespace: built, found and taken down by their mark.
struct ShapingTree {
    let mark: TreeMark
    let plan: ShapePlan
    let direction: FlowDirection
    /// For whoever lists the links: `squall run …`.
    let alias: String

    /// Whether anything is built for packets that come in: losing them needs no tree.
    var needsLinks: Bool { direction.hasIngress && plan.isShaping }

    /// The links' names and indices, one for each interface.
    static func intermediates(_ mark: TreeMark, _ interfaces: [String]) -> [SwitchRules.Intermediate] {
        interfaces.prefix(TreeMark.mostLinks).enumerated().map { number, name in
            SwitchRules.Intermediate(interface: name, link: mark.linkIndex(number))
        }
    }

    /// Builds a tree on each interface, and links with trees of their own for what comes in. What failed half-way is
    /// taken down again.
    func build(_ interfaces: [TreeReader.Link], _ socket: NetlinkSocket) throws(NetworkError) {
        do throws(NetworkError) {
            let roots = Set(
                try TreeReader.disciplines(socket).filter { $0.handle == TreeMark.root }.map(\.interface))
            if direction.hasEgress {
                for interface in interfaces { try grow(interface, hasRoot: roots.contains(interface.index), socket) }
            }
            if needsLinks {
                for (number, interface) in interfaces.prefix(TreeMark.mostLinks).enumerated() {
                    try grow(try addLink(number, like: interface, socket), hasRoot: false, socket)
                }
            }
        } catch {
            try Self.remove(mark, socket)
            throw error
        }
    }

    private func addLink(
        _ number: Int, like interface: TreeReader.Link, _ socket: NetlinkSocket
    ) throws(NetworkError) -> TreeReader.Link {
        let index = mark.linkIndex(number)
        var batch = TreeBatch("build a tree for what \(interface.name) receives", nextSequence: socket.nextSequence)
        try batch.addIntermediate(mark.linkName(number), index: index)
        try batch.raise(index, alias: alias)
        try socket.transact(batch.batch)
        var link = interface
        link.index = index
        // Its own queue is none of the namespace's state: nothing to restore.
        link.queueLength = 1
        return link
    }

    private func grow(_ interface: TreeReader.Link, hasRoot: Bool, _ socket: NetlinkSocket) throws(NetworkError) {
        var batch = TreeBatch("build a tree on \(interface.name)", nextSequence: socket.nextSequence)
        let index = interface.index
        if !hasRoot { try batch.addRoot(on: index) }
        if plan.lost > 0 {
            try batch.addClass(mark.lost, on: index)
            try batch.put(.blackhole, handle: mark.leaf(of: mark.lost), parent: mark.lost, on: index)
        }
        if let discipline = plan.discipline(largest: interface.largestPacket + Self.linkHeader) {
            try batch.addClass(mark.shaped, on: index)
            try batch.put(discipline, handle: mark.leaf(of: mark.shaped), parent: mark.shaped, on: index)
        }
        // The first discipline makes a queue of length 0 (a container's interface) one of 1,000, for good.
        if interface.queueLength == 0 { try batch.setQueueLength(0, of: index) }
        try socket.transact(batch.batch)
    }

    /// Of Ethernet, with a VLAN's tag.
    private static let linkHeader = UInt32(18)

    // MARK: Finding and removing

    /// What bears the mark in a namespace, in words; empty when nothing does.
    static func parts(of mark: TreeMark, _ socket: NetlinkSocket) throws(NetworkError) -> [String] {
        let links = try TreeReader.links(socket)
        let names = Dictionary(links.map { ($0.index, $0.name) }) { first, _ in first }
        let ours = links.filter { $0.name.hasPrefix(mark.linkPrefix) }
        let classes = try classes(of: mark, socket).map { "class \(text($0.handle)) on \(names[$0.interface] ?? "?")" }
        return classes + ours.map { "link \($0.name)" }
    }

    /// The fault's classes: those with its numbers that hold its leaf, or one that the kernel put there because ours
    /// could not be made.
    private static func classes(
        of mark: TreeMark, _ socket: NetlinkSocket
    ) throws(NetworkError) -> [TreeReader.Entry] {
        let disciplines = try TreeReader.disciplines(socket)
        var found: [TreeReader.Entry] = []
        for root in disciplines where root.handle == TreeMark.root && root.kind == "htb" {
            for entry in try TreeReader.classes(of: root.interface, socket) {
                guard entry.handle == mark.shaped || entry.handle == mark.lost else { continue }
                let leaf = disciplines.first { $0.interface == root.interface && $0.parent == entry.handle }
                if leaf.map({ $0.handle == mark.leaf(of: entry.handle) || $0.handle >> 16 < 0x8000 }) ?? true {
                    found.append(entry)
                }
            }
        }
        return found
    }

    /// Takes the fault's classes and links away, and every root of ours that nothing is left in. Nothing there is no
    /// error: somebody else may have been faster.
    static func remove(_ mark: TreeMark, _ socket: NetlinkSocket) throws(NetworkError) {
        for link in try TreeReader.links(socket) where link.name.hasPrefix(mark.linkPrefix) {
            try ifThere(socket) { batch throws(NetworkError) in try batch.deleteLink(link.index) }
        }
        for entry in try classes(of: mark, socket) {
            try ifThere(socket) { batch throws(NetworkError) in
                try batch.deleteClass(entry.handle, on: entry.interface)
            }
        }
        for root in try TreeReader.disciplines(socket) where root.handle == TreeMark.root && root.kind == "htb" {
            guard try TreeReader.classes(of: root.interface, socket).isEmpty else { continue }
            try ifThere(socket) { batch throws(NetworkError) in try batch.deleteRoot(on: root.interface) }
        }
    }

    private static func ifThere(
        _ socket: NetlinkSocket, _ body: (inout TreeBatch) throws(NetworkError) -> Void
    ) throws(NetworkError) {
        var batch = TreeBatch("take a tree down", nextSequence: socket.nextSequence)
        try body(&batch)
        do throws(NetworkError) {
            try socket.transact(batch.batch)
        } catch {
            // EINVAL: the root is not ours any more (the kernel's "Invalid handle").
            guard error.code == .notFound || error.code == .invalid else { throw error }
        }
    }

    // MARK: What is in the way

    /// A root that somebody else has put on an interface, in words; nil when there is none. The kernel's own have the
    /// handle 0.
    static func foreignRoot(
        _ interfaces: [TreeReader.Link], _ disciplines: [TreeReader.Entry]
    ) -> String? {
        for interface in interfaces {
            let root = disciplines.first { entry in
                entry.interface == interface.index && entry.parent == .max && entry.handle != 0
                    && entry.handle != TreeMark.root
            }
            if let root {
                return
                    "\(interface.name) has a queueing discipline of somebody else's: \(root.kind) \(text(root.handle))"
            }
        }
        return nil
    }

    /// A handle as people write it: `c4a5:10`, `8001:`.
    static func text(_ handle: UInt32) -> String {
        let minor = handle & 0xffff
        return String(handle >> 16, radix: 16) + ":" + (minor == 0 ? "" : String(minor, radix: 16))
    }
}
