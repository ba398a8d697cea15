/// Which node of a Redis Cluster owns which keys.
///
/// A key's slot is the CRC16 of its name, or of the part in its first braces, modulo 16,384 (Redis Cluster specification,
/// "Key distribution model").
struct SlotMap: Sendable, Hashable {
    static let count = 16_384

    /// Addresses `host:port` as the nodes announce them, by slot; empty where nobody owns it.
    private var owners: [String]

    /// From an answer to CLUSTER SLOTS; nil for an answer of another form.
    ///
    /// - Parameter asked: the host that was asked, which a node that does not know its own names with nothing.
    init?(_ answer: RedisValue, asked: String) {
        guard let ranges = answer.array else { return nil }
        owners = Array(repeating: "", count: Self.count)
        for range in ranges {
            guard let parts = range.array, parts.count >= 3, let first = parts[0].integer, let last = parts[1].integer,
                first >= 0, first <= last, last < Self.count, let owner = parts[2].array, owner.count >= 2
            else { return nil }
            var host = owner[0]
            if host.text?.isEmpty ?? true { host = .status(asked) }
            guard let address = announcedAddress([host, owner[1]]) else { return nil }
            for slot in first...last { owners[Int(slot)] = address }
        }
    }

    /// nil: nobody owns the key's slot.
    func owner(of key: String) -> String? {
        let owner = owners[Self.slot(of: key)]
        return owner.isEmpty ? nil : owner
    }

    /// Every owner once.
    var allOwners: [String] { Set(owners).filter { !$0.isEmpty }.sorted() }

    mutating func move(_ slot: Int, to owner: String) {
        if owners.indices.contains(slot) { owners[slot] = owner }
    }

    static func slot(of key: String) -> Int {
        var bytes = Array(key.utf8)[...]
        if let open = bytes.firstIndex(of: UInt8(ascii: "{")) {
            let rest = bytes[(open + 1)...]
            if let close = rest.firstIndex(of: UInt8(ascii: "}")), close > rest.startIndex {
                bytes = rest[..<close]
            }
        }
        return Int(checksum(bytes)) % count
    }

    /// CRC16 of XMODEM: polynomial 0x1021, begun with 0.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        var value: UInt16 = 0
        for byte in bytes {
            value ^= UInt16(byte) << 8
            for _ in 0..<8 { value = value & 0x8000 == 0 ? value << 1 : (value << 1) ^ 0x1021 }
        }
        return value
    }
}

/// Where a cluster says that a key is: `MOVED 3999 127.0.0.1:6381`, or for this once `ASK …`.
struct Redirection: Sendable, Hashable {
    var isMoved: Bool
    var slot: Int
    var address: String

    /// - Parameter asked: the host that said it, which may leave its own name out (`MOVED 3999 :6381`).
    init?(_ text: String, asked: String) {
        let words = text.split(separator: " ")
        guard words.count == 3, words[0] == "MOVED" || words[0] == "ASK", let slot = Int(words[1]) else { return nil }
        isMoved = words[0] == "MOVED"
        self.slot = slot
        address = words[2].hasPrefix(":") ? asked + words[2] : String(words[2])
    }
}
