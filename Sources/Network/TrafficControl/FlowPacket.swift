internal import Basics
internal import Glibc

/// The bytes of a probe packet from the transport header on, and their recognition.
///
/// All packets of a flow are one template but for their number, which stands there twice, the second time with every bit
/// turned: what one adds to a checksum the other takes away, and a broken number is noticed.
struct FlowPacket {
    let transport: Traffic.TransportProtocol
    let family: AddressFamily
    /// Tells our packets from whatever else passes.
    let nonce: UInt32
    private let template: [UInt8]

    /// The discard port: nobody answers a packet there whose checksum is wrong.
    private static let discard = UInt16(9)
    /// Nonce, number, number with its bits turned.
    private static let fixed = 12

    init(_ flow: Flow, nonce: UInt32) {
        transport = flow.transport
        family = flow.destination.family
        self.nonce = nonce
        var content = bigEndian(nonce) + [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]
        content += (content.count..<max(content.count, flow.payload)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        template = Self.header(flow, nonce, content) + content
    }

    /// Bytes of the transport header; the nonce comes after it.
    var header: Int { transport == .tcp ? 20 : 8 }

    func bytes(_ index: Int) -> [UInt8] {
        var bytes = template
        let number = UInt32(truncatingIfNeeded: index)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.storeBytes(of: number.bigEndian, toByteOffset: header + 4, as: UInt32.self)
            buffer.storeBytes(of: (~number).bigEndian, toByteOffset: header + 8, as: UInt32.self)
        }
        return bytes
    }

    private static func header(_ flow: Flow, _ nonce: UInt32, _ content: [UInt8]) -> [UInt8] {
        let source = bigEndian(flow.port ?? discard)
        let target = bigEndian(discard)
        let isEcho = flow.way == .echo
        switch flow.transport {
        case .udp: return source + target + bigEndian(UInt16(clamping: 8 + content.count)) + [0xba, 0xad]
        case .tcp:
            // Sequence and acknowledgement, header length 5, flag RST: whoever has no such connection ignores it.
            return source + target + [0, 0, 0, 1, 0, 0, 0, 0, 0x50, 4, 0, 0, 0xba, 0xad, 0, 0]
        case .icmp:
            // An echo request, or an answer that nobody has asked for: type, code, checksum, identifier, sequence.
            let type: UInt8 = flow.destination.family == .version4 ? (isEcho ? 8 : 0) : (isEcho ? 128 : 129)
            let tail = bigEndian(UInt16(truncatingIfNeeded: nonce)) + [0, 1]
            // Only a request must be right, and only for IPv4: of IPv6 the kernel makes it.
            let sum = isEcho ? checksum([type, 0, 0, 0] + tail + content) : [0xba, 0xad]
            return [type, 0] + sum + tail
        }
    }

    /// The ones' complement of the sum of 16-bit words (RFC 1071).
    private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        var sum = UInt32(0)
        for offset in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[offset]) << 8 | (offset + 1 < bytes.count ? UInt32(bytes[offset + 1]) : 0)
        }
        while sum >> 16 != 0 { sum = (sum & 0xffff) + (sum >> 16) }
        return bigEndian(~UInt16(truncatingIfNeeded: sum))
    }

    /// The number of a packet of ours and whether its content is as it was sent; nil for any other packet.
    ///
    /// - Parameter transport: from the transport header on.
    func recognize(_ transport: ArraySlice<UInt8>) -> (index: Int, isIntact: Bool)? {
        let content = transport.dropFirst(header)
        guard content.count >= Self.fixed, UInt32(bigEndian: host32(content)) == nonce else { return nil }
        let number = UInt32(bigEndian: host32(content, at: 4))
        let isSure = UInt32(bigEndian: host32(content, at: 8)) == ~number
        return (isSure ? Int(number) : -1, isSure && isPattern(content.dropFirst(Self.fixed)))
    }

    private func isPattern(_ rest: ArraySlice<UInt8>) -> Bool {
        let expected = template.dropFirst(header + Self.fixed)
        guard rest.count == expected.count else { return false }
        return rest.withUnsafeBytes { own in
            expected.withUnsafeBytes { other in
                guard let left = own.baseAddress, let right = other.baseAddress else { return true }
                return memcmp(left, right, own.count) == 0
            }
        }
    }
}
