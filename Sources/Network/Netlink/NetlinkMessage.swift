internal import CNetlink
internal import Glibc

/// One netlink message under construction: owns a `nl_msg` of libnl, which pads and nests its attributes.
///
/// An attribute that does not fit is remembered and thrown by `bytes()`, so that building needs no `try` per line.
final class NetlinkMessage {
    private let message: OpaquePointer
    private var hasOverflown = false

    /// - Parameter header: what follows the netlink header for this kind of message (nfgenmsg, tcmsg, …).
    init(
        type: UInt16, flags: UInt16, sequence: UInt32, header: [UInt8], capacity: Int = 4_096
    ) throws(NetworkError) {
        // Room for the netlink header (16 bytes), the family's, and their padding on top of the attributes.
        guard let message = nlmsg_alloc_size(capacity + header.count + 32) else {
            throw NetworkError("build a netlink message", errno: ENOMEM)
        }
        self.message = message
        let put = nlmsg_put(message, 0, sequence, CInt(type), 0, CInt(flags))
        var header = header
        if put == nil || nlmsg_append(message, &header, header.count, CInt(NLMSG_ALIGNTO)) < 0 { hasOverflown = true }
    }

    deinit {
        nlmsg_free(message)
    }

    func put(_ attribute: UInt16, _ value: [UInt8]) {
        if nla_put(message, CInt(attribute), CInt(value.count), value) < 0 { hasOverflown = true }
    }

    /// Text with the zero byte that the kernel wants at its end.
    func put(_ attribute: UInt16, text: String) { put(attribute, Array(text.utf8) + [0]) }

    /// nf_tables numbers are big endian, whatever the machine.
    func put(_ attribute: UInt16, big value: UInt32) { put(attribute, bigEndian(value)) }

    /// Writes what `body` puts as the content of one attribute.
    func nest(_ attribute: UInt16, _ body: () -> Void) {
        guard let start = nla_nest_start(message, CInt(attribute | UInt16(NLA_F_NESTED))) else {
            hasOverflown = true
            return
        }
        body()
        nla_nest_end(message, start)
    }

    /// The finished message, padded to the alignment at which the next one of a batch begins.
    func bytes() throws(NetworkError) -> [UInt8] {
        guard !hasOverflown, let header = nlmsg_hdr(message) else {
            throw NetworkError("build a netlink message", errno: EMSGSIZE)
        }
        let length = Int(header.pointee.nlmsg_len)
        var bytes = [UInt8](UnsafeRawBufferPointer(start: UnsafeRawPointer(header), count: length))
        while bytes.count % Int(NLMSG_ALIGNTO) != 0 { bytes.append(0) }
        return bytes
    }
}

/// The bytes of a number as they go over a network.
func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

/// The bytes of a number as this machine keeps it.
func hostOrder(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
