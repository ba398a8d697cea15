internal import CNetlink

/// The kernel's answer to one request: NLMSG_ERROR with its errno (0 for success) and its extended words.
struct Acknowledgement: Hashable {
    var sequence: UInt32
    var errno: CInt
    var text: String
    /// Offset of the attribute that is wrong, from the start of the request's message.
    var offset: UInt32?

    /// nil when the message is no NLMSG_ERROR.
    init?(_ message: NetlinkReader.Message) {
        guard message.type == UInt16(NLMSG_ERROR), message.payload.count >= 20 else { return nil }
        // struct nlmsgerr: error, then the header of the request, then all of the request unless the answer is capped.
        errno = -CInt(bitPattern: host32(message.payload))
        let requestLength = Int(host32(message.payload, at: 4))
        sequence = host32(message.payload, at: 12)
        text = ""
        guard message.flags & UInt16(NLM_F_ACK_TLVS) != 0 else { return }
        let isCapped = message.flags & UInt16(NLM_F_CAPPED) != 0
        let skipped = 4 + (isCapped ? 16 : (requestLength + 3) & ~3)
        let reader = NetlinkReader(message.payload.dropFirst(skipped))
        text = reader[UInt16(NLMSGERR_ATTR_MSG.rawValue)].map { Network.text($0) } ?? ""
        offset = reader[UInt16(NLMSGERR_ATTR_OFFS.rawValue)].map { host32($0) }
    }
}
