internal import CNetlink
internal import Glibc

/// Reads interfaces, addresses and queueing disciplines of a namespace over its rtnetlink socket.
enum NamespaceReader {
    struct Link: Hashable {
        var index: Int32
        var name: String
        var isLoopback: Bool
    }

    /// A queueing discipline; those the kernel puts there by default have handle 0.
    struct Qdisc: Hashable {
        var interface: Int32
        var handle: UInt32
        var kind: String
    }

    /// What tells of other interfaces and other addresses.
    static let changes = [RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR].map(\.rawValue)

    static func links(_ socket: NetlinkSocket) throws(NetworkError) -> [Link] {
        // struct ifinfomsg: family, padding, type, index, flags, change mask.
        let answers = try socket.dump("list interfaces", type: UInt16(RTM_GETLINK), header: zeros(16))
        return answers.map { answer in
            let reader = NetlinkReader(answer.payload.dropFirst(16))
            return Link(
                index: Int32(bitPattern: host32(answer.payload, at: 4)),
                name: reader[UInt16(IFLA_IFNAME)].map { text($0) } ?? "",
                isLoopback: host32(answer.payload, at: 8) & UInt32(IFF_LOOPBACK) != 0)
        }
    }

    /// The addresses by which others reach the namespace: those of loopback are nobody's.
    static func addresses(_ socket: NetlinkSocket) throws(NetworkError) -> [AddressRange] {
        // struct ifaddrmsg: family, prefix length, flags, scope, index.
        let answers = try socket.dump("list addresses", type: UInt16(RTM_GETADDR), header: zeros(8))
        return answers.compactMap { answer in
            let reader = NetlinkReader(answer.payload.dropFirst(8))
            // IFA_LOCAL is ours on links that name both ends; IPv6 has IFA_ADDRESS alone.
            let bytes = reader[UInt16(IFA_LOCAL)] ?? reader[UInt16(IFA_ADDRESS)]
            guard let bytes, let family = family(answer.payload.first), bytes.count == family.length else { return nil }
            let address = AddressRange(family, Array(bytes))
            return address.isLoopback ? nil : address
        }.sorted()
    }

    private static func family(_ domain: UInt8?) -> AddressFamily? {
        AddressFamily.allCases.first { $0.domain == domain.map(CInt.init) }
    }

    static func qdiscs(_ socket: NetlinkSocket) throws(NetworkError) -> [Qdisc] {
        // struct tcmsg: family, padding, index, handle, parent, info; all zero lists every interface.
        let answers = try socket.dump("list queueing disciplines", type: UInt16(RTM_GETQDISC), header: zeros(20))
        return answers.map { answer in
            Qdisc(
                interface: Int32(bitPattern: host32(answer.payload, at: 4)), handle: host32(answer.payload, at: 8),
                kind: NetlinkReader(answer.payload.dropFirst(20))[UInt16(TCA_KIND)].map { text($0) } ?? "")
        }
    }

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
}
