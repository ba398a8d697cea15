/// One message or attribute list as it came from the kernel; everything is bounds-checked, because it is input.
struct NetlinkReader {
    let bytes: ArraySlice<UInt8>

    /// One message of a datagram.
    struct Message {
        var type: UInt16
        var flags: UInt16
        var sequence: UInt32
        /// Whose request it answers, or whose request changed what it tells of.
        var port: UInt32 = 0
        var payload: ArraySlice<UInt8>
    }

    /// One attribute: its number without the flag bits, and its content.
    struct Attribute {
        var number: UInt16
        /// Where its header begins in the array that the slice belongs to.
        var start: Int
        var content: ArraySlice<UInt8>
    }

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    /// The messages (struct nlmsghdr: length, type, flags, sequence, port) until the first that does not fit.
    var messages: [Message] {
        var found: [Message] = []
        var rest = bytes
        while rest.count >= 16 {
            let start = rest.startIndex
            let length = Int(host32(rest, at: 0))
            guard length >= 16, length <= rest.count else { break }
            found.append(
                Message(
                    type: host16(rest, at: 4), flags: host16(rest, at: 6), sequence: host32(rest, at: 8),
                    port: host32(rest, at: 12),
                    payload: rest[(start + 16)..<(start + length)]))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return found
    }

    /// The attributes (struct nlattr: length, number) until the first that does not fit.
    var attributes: [Attribute] {
        var found: [Attribute] = []
        var rest = bytes
        while rest.count >= 4 {
            let start = rest.startIndex
            let length = Int(host16(rest, at: 0))
            guard length >= 4, length <= rest.count else { break }
            // The two highest bits say nested and network byte order.
            found.append(
                Attribute(
                    number: host16(rest, at: 2) & 0x3fff, start: start, content: rest[(start + 4)..<(start + length)]))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return found
    }

    /// The content of the first attribute with this number.
    subscript(number: UInt16) -> ArraySlice<UInt8>? { attributes.first { $0.number == number }?.content }
}

/// Zero for bytes that are not there.
func host16(_ bytes: ArraySlice<UInt8>, at offset: Int) -> UInt16 {
    guard offset + 2 <= bytes.count else { return 0 }
    return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt16.self) }
}

/// Zero for bytes that are not there.
func host32(_ bytes: ArraySlice<UInt8>, at offset: Int = 0) -> UInt32 {
    guard offset + 4 <= bytes.count else { return 0 }
    return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
}

/// Text up to its zero byte.
func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
