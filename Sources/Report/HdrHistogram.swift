/// A sparse HdrHistogram of nanoseconds with three significant digits, from 1 µs to 1 h, written in its V2 encoding.
///
/// Only what a log needs: counting and encoding. The layout (buckets that double, 2,048 steps in each) and the encoding
/// (zero runs and counts as ZigZag LEB128) are those of HdrHistogram's `V2` format, so its tools read the result.
struct HdrHistogram {
    private static let lowest: Int64 = 1_000
    private static let highest: Int64 = 3_600_000_000_000
    /// floor(log2(lowest)): what is smaller than 512 ns cannot be told apart.
    private static let unitMagnitude = 9
    /// log2 of half of the 2,048 steps that three digits need.
    private static let halfCountMagnitude = 10

    private var counts: [Int: Int64] = [:]
    private(set) var total: Int64 = 0
    private(set) var maximum: Int64 = 0

    mutating func add(_ nanoseconds: Int64) {
        let value = min(HdrHistogram.highest, max(0, nanoseconds))
        counts[HdrHistogram.index(value), default: 0] += 1
        total += 1
        maximum = max(maximum, value)
    }

    /// The place of a value in the array of counts.
    static func index(_ value: Int64) -> Int {
        let mask = Int64((2 << halfCountMagnitude) - 1) << unitMagnitude
        let bucket = 64 - unitMagnitude - halfCountMagnitude - 1 - (value | mask).leadingZeroBitCount
        let step = Int(value >> Int64(bucket + unitMagnitude))
        return ((bucket + 1) << halfCountMagnitude) + step - (1 << halfCountMagnitude)
    }

    /// `HISTF…`: the compressed V2 encoding as base64, as it stands in a log. The deflate stream inside is stored, not
    /// packed: a second's histogram has a few hundred bytes, and no library is needed to write them.
    var encoded: String {
        var inner: [UInt8] = []
        inner.append(bigEndian: 0x1C84_9303 | 0x10, bytes: 4)
        let payload = payload
        inner.append(bigEndian: UInt64(payload.count), bytes: 4)
        inner.append(bigEndian: 0, bytes: 4)
        inner.append(bigEndian: 3, bytes: 4)
        inner.append(bigEndian: UInt64(HdrHistogram.lowest), bytes: 8)
        inner.append(bigEndian: UInt64(HdrHistogram.highest), bytes: 8)
        inner.append(bigEndian: (1.0).bitPattern, bytes: 8)
        inner += payload
        let stream = storedDeflate(inner)
        var outer: [UInt8] = []
        outer.append(bigEndian: 0x1C84_9304 | 0x10, bytes: 4)
        outer.append(bigEndian: UInt64(stream.count), bytes: 4)
        return base64(outer + stream)
    }

    private var payload: [UInt8] {
        var bytes: [UInt8] = []
        var next = 0
        for (index, count) in counts.sorted(by: { $0.key < $1.key }) {
            let zeros = index - next
            if zeros > 0 { bytes.append(zigZag: zeros == 1 ? 0 : Int64(-zeros)) }
            bytes.append(zigZag: count)
            next = index + 1
        }
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian value: UInt64, bytes: Int) {
        for shift in (0..<bytes).reversed() { append(UInt8(truncatingIfNeeded: value >> UInt64(shift * 8))) }
    }

    /// LEB128 of the ZigZag form; counts of a second fit eight bytes, so the ninth's special rule is not needed.
    fileprivate mutating func append(zigZag value: Int64) {
        var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}

/// A zlib stream (RFC 1950) whose deflate blocks (RFC 1951, 3.2.4) hold the bytes as they are.
private func storedDeflate(_ bytes: [UInt8]) -> [UInt8] {
    var stream: [UInt8] = [0x78, 0x01]
    var start = 0
    repeat {
        let count = min(65_535, bytes.count - start)
        stream.append(start + count == bytes.count ? 1 : 0)
        stream += [UInt8(count & 0xFF), UInt8(count >> 8), UInt8(~count & 0xFF), UInt8(~count >> 8 & 0xFF)]
        stream += bytes[start..<start + count]
        start += count
    } while start < bytes.count
    var (low, high) = (UInt64(1), UInt64(0))
    for byte in bytes {
        low = (low + UInt64(byte)) % 65_521
        high = (high + low) % 65_521
    }
    stream.append(bigEndian: high << 16 | low, bytes: 4)
    return stream
}

/// RFC 4648 with padding.
private func base64(_ bytes: [UInt8]) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
        for position in 0..<4 {
            text.append(position <= group.count ? letters[bits >> (18 - 6 * position) & 63] : UInt8(ascii: "="))
        }
    }
    return String(decoding: text, as: UTF8.self)
}
