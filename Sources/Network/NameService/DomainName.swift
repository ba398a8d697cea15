/// A domain name as DNS compares it: labels without regard to case (RFC 4343), without the empty one of the root.
package struct DomainName: Sendable, Hashable, Codable, CustomStringConvertible {
    /// In lower case, the most specific first. Any bytes when it came from a packet.
    let labels: [[UInt8]]

    static let root = DomainName(labels: [])

    /// - Parameter labels: in any case; each of 1 to 63 bytes, together at most 255 on the wire.
    init(labels: [[UInt8]]) {
        self.labels = labels.map { $0.map(Self.lower) }
    }

    /// Reads `db.example.com` with or without the dot of the root; nil for what no host is called.
    ///
    /// International names are written as they are asked for (`xn--…`).
    package init?(parsing text: String) {
        var parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Array.init)
        if parts.count > 1, parts.last?.isEmpty == true { parts.removeLast() }
        guard parts.allSatisfy({ !$0.isEmpty && $0.count <= 63 && $0.allSatisfy(Self.isPlain) }),
            parts.reduce(1, { $0 + $1.count + 1 }) <= 255
        else { return nil }
        self.init(labels: parts)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    func isBelow(_ suffix: DomainName) -> Bool {
        labels.count > suffix.labels.count && labels.suffix(suffix.labels.count).elementsEqual(suffix.labels)
    }

    /// As in a packet: each label after its length, then the root (RFC 1035, 3.1).
    var wire: [UInt8] { labels.flatMap { [UInt8(truncatingIfNeeded: $0.count)] + $0 } + [0] }

    package var description: String {
        labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }
}

/// One name, or with `*.` in front all names below one.
package struct NamePattern: Sendable, Hashable, Codable, CustomStringConvertible {
    let name: DomainName
    let isSuffix: Bool

    /// Exactly this name.
    init(_ name: DomainName) {
        self.name = name
        isSuffix = false
    }

    package init?(parsing text: String) {
        isSuffix = text.hasPrefix("*.")
        guard let name = DomainName(parsing: isSuffix ? String(text.dropFirst(2)) : text) else { return nil }
        self.name = name
    }

    func matches(_ asked: DomainName) -> Bool { isSuffix ? asked.isBelow(name) : asked == name }

    package var description: String { isSuffix ? "*.\(name)" : "\(name)" }
}
