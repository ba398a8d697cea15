internal import CNetlink
internal import Glibc

/// Builds rtnetlink requests for queueing trees and their links. Unlike a transaction of nf_tables each request stands for
/// itself: what failed half-way is taken down by its handles.
struct TreeBatch {
    private(set) var batch: NetlinkBatch
    private let nextSequence: () -> UInt32

    /// - Parameter nextSequence: the numbers come from the socket that will send it.
    init(_ operation: String, nextSequence: @escaping () -> UInt32) {
        batch = NetlinkBatch(operation)
        self.nextSequence = nextSequence
    }

    private mutating func request(
        _ name: String, _ type: some FixedWidthInteger, flags: CInt, header: [UInt8], capacity: Int = 4_096,
        _ body: (NetlinkMessage) -> Void
    ) throws(NetworkError) {
        let sequence = nextSequence()
        // Every request asks for its acknowledgement: the last one's ends the conversation.
        let message = try NetlinkMessage(
            type: UInt16(type), flags: UInt16(NLM_F_REQUEST | NLM_F_ACK | flags), sequence: sequence, header: header,
            capacity: capacity)
        body(message)
        try batch.append(name, message, sequence: sequence, isLast: true)
    }

    // MARK: Trees

    /// struct tcmsg: family and padding, interface, handle, parent, info.
    private func header(_ interface: Int32, handle: UInt32, parent: UInt32) -> [UInt8] {
        [0, 0, 0, 0] + hostOrder(interface) + hostOrder(handle) + hostOrder(parent) + hostOrder(UInt32(0))
    }

    /// The root of an interface that has none of its own. EXCL: one that somebody has put there is never replaced.
    mutating func addRoot(on interface: Int32) throws(NetworkError) {
        try request(
            "add the root htb", RTM_NEWQDISC, flags: NLM_F_CREATE | NLM_F_EXCL,
            header: header(interface, handle: TreeMark.root, parent: rootParent)
        ) { message in
            message.put(UInt16(TCA_KIND), text: "htb")
            message.put(UInt16(TCA_OPTIONS), HierarchicalRoot.rootOptions)
        }
    }

    /// A class below our root.
    mutating func addClass(_ handle: UInt32, on interface: Int32) throws(NetworkError) {
        try request(
            "add a class", RTM_NEWTCLASS, flags: NLM_F_CREATE | NLM_F_EXCL,
            header: header(interface, handle: handle, parent: TreeMark.root)
        ) { message in
            message.put(UInt16(TCA_KIND), text: "htb")
            message.put(UInt16(TCA_OPTIONS), HierarchicalRoot.classOptions)
        }
    }

    /// - Parameter isChange: of a leaf that is there; else there must be none of this handle.
    mutating func put(
        _ discipline: Discipline, handle: UInt32, parent: UInt32, on interface: Int32, isChange: Bool = false
    ) throws(NetworkError) {
        let options = discipline.options
        try request(
            "\(isChange ? "change" : "add") \(discipline.kind)", RTM_NEWQDISC,
            flags: isChange ? NLM_F_REPLACE : NLM_F_CREATE | NLM_F_EXCL,
            header: header(interface, handle: handle, parent: parent), capacity: 4_096 + (options?.count ?? 0)
        ) { message in
            message.put(UInt16(TCA_KIND), text: discipline.kind)
            if let options { message.put(UInt16(TCA_OPTIONS), options) }
        }
    }

    /// Deletes a class of ours with its leaf.
    mutating func deleteClass(_ handle: UInt32, on interface: Int32) throws(NetworkError) {
        try request(
            "delete a class", RTM_DELTCLASS, flags: 0,
            header: header(interface, handle: handle, parent: TreeMark.root)
        ) { _ in }
    }

    /// Deletes our root; always with its handle: a request without one deletes whatever is there.
    mutating func deleteRoot(on interface: Int32) throws(NetworkError) {
        try request(
            "delete the root htb", RTM_DELQDISC, flags: 0,
            header: header(interface, handle: TreeMark.root, parent: rootParent)
        ) { _ in }
    }

    // MARK: Links

    /// struct ifinfomsg: family, padding, type, index, flags, which flags change.
    private func header(link index: Int32, flags: UInt32 = 0) -> [UInt8] {
        [0, 0, 0, 0] + hostOrder(index) + hostOrder(flags) + hostOrder(flags)
    }

    /// An interface that hands on what is sent to it as if it had just arrived: a queueing tree for what comes in.
    mutating func addIntermediate(_ name: String, index: Int32) throws(NetworkError) {
        try request(
            "add an ifb link", RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, header: header(link: index)
        ) { message in
            message.put(UInt16(IFLA_IFNAME), text: name)
            message.nest(UInt16(IFLA_LINKINFO)) { message.put(UInt16(IFLA_INFO_KIND), text: "ifb") }
        }
    }

    /// Switches it on, with a text that tells whose it is.
    mutating func raise(_ index: Int32, alias: String) throws(NetworkError) {
        try request(
            "switch on an ifb link", RTM_NEWLINK, flags: 0, header: header(link: index, flags: UInt32(IFF_UP))
        ) { message in
            message.put(UInt16(IFLA_IFALIAS), Array(alias.utf8.prefix(250)))
        }
    }

    mutating func deleteLink(_ index: Int32) throws(NetworkError) {
        try request("delete an ifb link", RTM_DELLINK, flags: 0, header: header(link: index)) { _ in }
    }

    /// The length of an interface's queue, which the first queueing discipline raises from 0 to 1,000 for good.
    mutating func setQueueLength(_ length: UInt32, of index: Int32) throws(NetworkError) {
        try request("restore the queue length", RTM_NEWLINK, flags: 0, header: header(link: index)) { message in
            message.put(UInt16(IFLA_TXQLEN), hostOrder(length))
        }
    }
}

/// Parent of a root (TC_H_ROOT, a cast macro in C).
private let rootParent = UInt32.max
