internal import Glibc

/// The two versions of the Internet Protocol, as nf_tables counts them (NFPROTO_IPV4, NFPROTO_IPV6).
package enum AddressFamily: UInt8, Sendable, Hashable, Codable, CaseIterable {
    case version4 = 2
    case version6 = 10

    /// Bytes of an address.
    var length: Int {
        switch self {
        case .version4: 4
        case .version6: 16
        }
    }

    var domain: CInt {
        switch self {
        case .version4: AF_INET
        case .version6: AF_INET6
        }
    }
}

/// One address, or all from one to another: what `10.0.0.0/8` stands for.
package struct AddressRange: Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
    package let family: AddressFamily
    /// In network order.
    package let first: [UInt8]
    /// The last one that belongs to it.
    package let last: [UInt8]

    init(_ family: AddressFamily, _ first: [UInt8], _ last: [UInt8]) {
        self.family = family
        self.first = first
        self.last = last
    }

    init(_ family: AddressFamily, _ address: [UInt8]) {
        self.init(family, address, address)
    }

    /// Reads what `description` writes: an address, or two with a dash between them.
    package init?(describedBy text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let first = parts.first.flatMap({ AddressRange(parsing: String($0)) }), first.isSingle, parts.count <= 2,
            let last = parts.count == 2 ? AddressRange(parsing: String(parts[1])) : first, last.isSingle,
            first.family == last.family, !last.first.lexicographicallyPrecedes(first.first)
        else { return nil }
        self.init(first.family, first.first, last.first)
    }

    /// Reads `10.1.2.3`, `10.0.0.0/8`, `2001:db8::/32`; nil for anything else, IPv6 zones (`fe80::1%eth0`) among it: an
    /// interface of this machine means nothing in the namespace where the rule will be.
    package init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = parts.first else { return nil }
        let family: AddressFamily = address.contains(":") ? .version6 : .version4
        var bytes = [UInt8](repeating: 0, count: family.length)
        guard inet_pton(family.domain, String(address), &bytes) == 1 else { return nil }
        guard parts.count == 2 else {
            self.init(family, bytes)
            return
        }
        let isPlain = !parts[1].isEmpty && parts[1].utf8.allSatisfy { (48...57).contains($0) }
        guard isPlain, let prefix = Int(parts[1]), prefix <= family.length * 8 else { return nil }
        var (first, last) = (bytes, bytes)
        for index in 0..<family.length {
            let fixed = min(8, max(0, prefix - index * 8))
            let host = UInt8(truncatingIfNeeded: 0xff >> fixed)
            first[index] &= ~host
            last[index] |= host
        }
        self.init(family, first, last)
    }

    package var isSingle: Bool { first == last }

    /// 127.0.0.1 and ::1.
    static func loopback(_ family: AddressFamily) -> AddressRange {
        switch family {
        case .version4: AddressRange(family, [127, 0, 0, 1])
        case .version6: AddressRange(family, [UInt8](repeating: 0, count: 15) + [1])
        }
    }

    /// 127.0.0.0/8 and ::1 mean whoever asks, never a peer.
    var isLoopback: Bool {
        switch family {
        case .version4: first[0] == 127
        case .version6: isSingle && first == [UInt8](repeating: 0, count: 15) + [1]
        }
    }

    /// The address after the last one; nil when there is none.
    var afterLast: [UInt8]? { Self.successor(of: last) }

    private static func successor(of address: [UInt8]) -> [UInt8]? {
        var next = address
        for index in next.indices.reversed() {
            next[index] &+= 1
            if next[index] != 0 { return next }
        }
        return nil
    }

    package static func < (left: AddressRange, right: AddressRange) -> Bool {
        if left.family != right.family { return left.family.rawValue < right.family.rawValue }
        if left.first != right.first { return left.first.lexicographicallyPrecedes(right.first) }
        return left.last.lexicographicallyPrecedes(right.last)
    }

    func overlaps(_ other: AddressRange) -> Bool {
        family == other.family && !last.lexicographicallyPrecedes(other.first)
            && !other.last.lexicographicallyPrecedes(first)
    }

    /// The same addresses as ranges that neither overlap nor touch: the kernel refuses overlapping intervals.
    package static func merged(_ ranges: [AddressRange]) -> [AddressRange] {
        var merged: [AddressRange] = []
        for range in ranges.sorted() {
            guard let before = merged.last, before.family == range.family,
                before.overlaps(range) || before.afterLast == range.first
            else {
                merged.append(range)
                continue
            }
            let last = before.last.lexicographicallyPrecedes(range.last) ? range.last : before.last
            merged[merged.count - 1] = AddressRange(range.family, before.first, last)
        }
        return merged
    }

    /// The addresses of `ranges` that are in none of `others`, as merged ranges.
    package static func subtracting(_ others: [AddressRange], from ranges: [AddressRange]) -> [AddressRange] {
        var rest = merged(ranges)
        for other in others { rest = rest.flatMap { $0.without(other) } }
        return rest
    }

    private func without(_ other: AddressRange) -> [AddressRange] {
        guard overlaps(other) else { return [self] }
        var parts: [AddressRange] = []
        if first.lexicographicallyPrecedes(other.first), let end = Self.predecessor(of: other.first) {
            parts.append(AddressRange(family, first, end))
        }
        if other.last.lexicographicallyPrecedes(last), let start = other.afterLast {
            parts.append(AddressRange(family, start, last))
        }
        return parts
    }

    private static func predecessor(of address: [UInt8]) -> [UInt8]? {
        var before = address
        for index in before.indices.reversed() {
            before[index] &-= 1
            if before[index] != 0xff { return before }
        }
        return nil
    }

    package var description: String {
        let begin = Self.text(family, first)
        return isSingle ? begin : "\(begin)-\(Self.text(family, last))"
    }

    private static func text(_ family: AddressFamily, _ address: [UInt8]) -> String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(family.domain, address, &buffer, socklen_t(buffer.count)) != nil else { return "?" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
