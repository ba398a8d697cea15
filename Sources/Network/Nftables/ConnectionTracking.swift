internal import CNetlink
internal import Glibc

/// Reads and removes what a namespace remembers of flows (nf_conntrack, over ctnetlink).
///
/// Where a flow is sent is decided at its first packet and kept: a redirect that comes or goes changes nothing for a
/// program that keeps its socket, until the flow is forgotten.
enum ConnectionTracking {
    /// One flow as it was begun, and where its answers come from.
    struct Flow: Hashable {
        var transport: UInt8
        var destination: AddressRange
        var port: UInt16
        var answeredBy: AddressRange
        var answeredFrom: UInt16
        /// Attributes by which the kernel finds it again, as they came.
        fileprivate var original: [UInt8]
        fileprivate var identifier: [UInt8]
    }

    static func flows(_ socket: NetlinkSocket) throws(NetworkError) -> [Flow] {
        let answers = try socket.dump("list flows", type: type(IPCTNL_MSG_CT_GET), header: [0, 0, 0, 0])
        return answers.compactMap(flow)
    }

    /// Those that are gone already are no error.
    static func forget(_ flows: [Flow], _ socket: NetlinkSocket) throws(NetworkError) {
        for flow in flows {
            let sequence = socket.nextSequence()
            let message = try NetlinkMessage(
                type: type(IPCTNL_MSG_CT_DELETE), flags: UInt16(NLM_F_REQUEST | NLM_F_ACK), sequence: sequence,
                header: [UInt8(flow.destination.family.domain), 0, 0, 0])
            message.put(number(CTA_TUPLE_ORIG) | UInt16(NLA_F_NESTED), flow.original)
            message.put(CTA_ID, flow.identifier)
            var batch = NetlinkBatch("forget a flow")
            try batch.append("to \(flow.destination)", message, sequence: sequence, isLast: true)
            do throws(NetworkError) {
                try socket.transact(batch)
            } catch {
                if error.errno != ENOENT { throw error }
            }
        }
    }

    static func flow(_ message: NetlinkReader.Message) -> Flow? {
        let reader = NetlinkReader(message.payload.dropFirst(4))
        guard let original = reader[number(CTA_TUPLE_ORIG)], let reply = reader[number(CTA_TUPLE_REPLY)],
            let identifier = reader[number(CTA_ID)], let begun = tuple(original), let answer = tuple(reply),
            let destination = begun.destination, let source = answer.source
        else { return nil }
        return Flow(
            transport: begun.transport, destination: destination, port: begun.destinationPort, answeredBy: source,
            answeredFrom: answer.sourcePort, original: Array(original), identifier: Array(identifier))
    }

    private struct Tuple {
        var transport: UInt8
        var source: AddressRange?
        var destination: AddressRange?
        var sourcePort: UInt16
        var destinationPort: UInt16
    }

    private static func tuple(_ bytes: ArraySlice<UInt8>) -> Tuple? {
        let reader = NetlinkReader(bytes)
        guard let addresses = reader[number(CTA_TUPLE_IP)].map(NetlinkReader.init),
            let transport = reader[number(CTA_TUPLE_PROTO)].map(NetlinkReader.init),
            let protocolNumber = transport[number(CTA_PROTO_NUM)]?.first
        else { return nil }
        return Tuple(
            transport: protocolNumber,
            source: address(addresses, number(CTA_IP_V4_SRC), number(CTA_IP_V6_SRC)),
            destination: address(addresses, number(CTA_IP_V4_DST), number(CTA_IP_V6_DST)),
            sourcePort: port(transport, number(CTA_PROTO_SRC_PORT)),
            destinationPort: port(transport, number(CTA_PROTO_DST_PORT)))
    }

    private static func address(_ reader: NetlinkReader, _ version4: UInt16, _ version6: UInt16) -> AddressRange? {
        if let bytes = reader[version4], bytes.count == 4 { return AddressRange(.version4, Array(bytes)) }
        if let bytes = reader[version6], bytes.count == 16 { return AddressRange(.version6, Array(bytes)) }
        return nil
    }

    private static func port(_ reader: NetlinkReader, _ attribute: UInt16) -> UInt16 {
        reader[attribute].map { UInt16(bigEndian: host16($0, at: 0)) } ?? 0
    }

    private static func type(_ message: cntl_msg_types) -> UInt16 {
        UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | UInt16(message.rawValue)
    }
}
