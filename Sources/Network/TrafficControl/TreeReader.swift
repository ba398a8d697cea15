internal import CNetlink
internal import Glibc

/// Reads queueing trees and links as the kernel has them, whoever made them.
enum TreeReader {
    /// A queueing discipline or a class with what it has counted.
    struct Entry: Hashable {
        var interface: Int32
        var handle: UInt32
        var parent: UInt32
        var kind: String
        var options: [UInt8]
        /// Packets and bytes that left it.
        var packets: UInt64
        var bytes: UInt64
        /// Packets that it has lost.
        var drops: UInt32
        /// Packets that wait in it, and their bytes.
        var waiting: UInt32
        var backlog: UInt32
    }

    /// What is needed of an interface to shape its traffic.
    struct Link: Hashable {
        var index: Int32
        var name: String
        var isLoopback: Bool
        var queueLength: UInt32
        var largestPacket: UInt32
        /// `ifb`, `veth`; empty for hardware.
        var kind: String
        var alias: String
    }

    /// struct tcmsg: family, padding, interface, handle, parent, info; all zero lists the disciplines of every interface.
    static func disciplines(_ socket: NetlinkSocket) throws(NetworkError) -> [Entry] {
        try entries(
            socket, "list queueing disciplines", RTM_GETQDISC, header: [UInt8](repeating: 0, count: 20))
    }

    static func classes(of interface: Int32, _ socket: NetlinkSocket) throws(NetworkError) -> [Entry] {
        try entries(
            socket, "list classes", RTM_GETTCLASS,
            header: [0, 0, 0, 0] + hostOrder(interface) + [UInt8](repeating: 0, count: 12))
    }

    private static func entries(
        _ socket: NetlinkSocket, _ operation: String, _ type: some FixedWidthInteger, header: [UInt8]
    ) throws(NetworkError) -> [Entry] {
        try socket.dump(operation, type: UInt16(type), header: header).map { answer in
            let reader = NetlinkReader(answer.payload.dropFirst(20))
            let statistics = NetlinkReader(reader[UInt16(TCA_STATS2)] ?? [])
            // struct gnet_stats_basic: bytes (64 bits), packets; struct gnet_stats_queue: qlen, backlog, drops, ….
            let basic = statistics[UInt16(TCA_STATS_BASIC)] ?? []
            let queue = statistics[UInt16(TCA_STATS_QUEUE)] ?? []
            let packets = statistics[UInt16(TCA_STATS_PKT64)].map { host64($0) }
            return Entry(
                interface: Int32(bitPattern: host32(answer.payload, at: 4)), handle: host32(answer.payload, at: 8),
                parent: host32(answer.payload, at: 12), kind: reader[UInt16(TCA_KIND)].map { text($0) } ?? "",
                options: reader[UInt16(TCA_OPTIONS)].map { Array($0) } ?? [],
                packets: packets ?? UInt64(host32(basic, at: 8)), bytes: host64(basic),
                drops: host32(queue, at: 8), waiting: host32(queue),
                backlog: host32(queue, at: 4))
        }
    }

    static func links(_ socket: NetlinkSocket) throws(NetworkError) -> [Link] {
        // struct ifinfomsg: family, padding, type, index, flags, change mask.
        let answers = try socket.dump(
            "list interfaces", type: UInt16(RTM_GETLINK), header: [UInt8](repeating: 0, count: 16))
        return answers.map { answer in
            let reader = NetlinkReader(answer.payload.dropFirst(16))
            let information = reader[UInt16(IFLA_LINKINFO)].map { NetlinkReader($0) }
            return Link(
                index: Int32(bitPattern: host32(answer.payload, at: 4)),
                name: reader[UInt16(IFLA_IFNAME)].map { text($0) } ?? "",
                isLoopback: host32(answer.payload, at: 8) & UInt32(IFF_LOOPBACK) != 0,
                queueLength: reader[UInt16(IFLA_TXQLEN)].map { host32($0) } ?? 0,
                largestPacket: reader[UInt16(IFLA_MTU)].map { host32($0) } ?? 1_500,
                kind: information?[UInt16(IFLA_INFO_KIND)].map { text($0) } ?? "",
                alias: reader[UInt16(IFLA_IFALIAS)].map { text($0) } ?? "")
        }
    }

    /// Where packets go for which no other route is known, by version of the Internet Protocol; the first of each.
    static func gateways(_ socket: NetlinkSocket) throws(NetworkError) -> [AddressRange] {
        // struct rtmsg: family, destination length, source length, tos, table, protocol, scope, type, flags.
        let answers = try socket.dump(
            "list routes", type: UInt16(RTM_GETROUTE), header: [UInt8](repeating: 0, count: 12))
        var found: [AddressRange] = []
        for answer in answers where answer.payload.dropFirst().first == 0 {
            let domain = answer.payload.first.map(CInt.init)
            guard let family = AddressFamily.allCases.first(where: { $0.domain == domain }),
                let gateway = NetlinkReader(answer.payload.dropFirst(12))[UInt16(RTA_GATEWAY.rawValue)],
                gateway.count == family.length, !found.contains(where: { $0.family == family })
            else { continue }
            found.append(AddressRange(family, Array(gateway)))
        }
        return found
    }
}

/// Zero for bytes that are not there.
func host64(_ bytes: ArraySlice<UInt8>, at offset: Int = 0) -> UInt64 {
    UInt64(host32(bytes, at: offset)) | UInt64(host32(bytes, at: offset + 4)) << 32
}
