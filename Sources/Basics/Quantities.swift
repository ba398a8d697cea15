/// Arrivals per second, written `200/s`, `30/m` or `3600/h`.
package struct Rate: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    package var perSecond: Double

    package init(perSecond: Double) {
        self.perSecond = perSecond
    }

    package init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Double(parts[0]), count > 0, count.isFinite else { return nil }
        switch parts[1] {
        case "s": perSecond = count
        case "m": perSecond = count / 60
        case "h": perSecond = count / 3_600
        default: return nil
        }
    }

    /// The time between two arrivals.
    package var interval: Span { Span(seconds: 1 / perSecond) }
    package var description: String { decimal(perSecond, places: 3) + "/s" }
    package static func < (left: Rate, right: Rate) -> Bool { left.perSecond < right.perSecond }
}

/// A share between 0 and 1, written `99.9%`.
package struct Share: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// 0 … 1
    package var fraction: Double

    package init(fraction: Double) {
        self.fraction = fraction
    }

    package init?(parsing text: String) {
        guard text.hasSuffix("%"), let percent = Double(text.dropLast()), percent >= 0, percent <= 100 else {
            return nil
        }
        fraction = percent / 100
    }

    package var description: String { decimal(fraction * 100, places: 3) + "%" }
    package static func < (left: Share, right: Share) -> Bool { left.fraction < right.fraction }
}

/// Bits per second, written as the kernel's tools do: `10mbit`, `1gbit`, `64kbit`. Decimal prefixes.
package struct Bandwidth: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    package var bitsPerSecond: Int64

    package init(bitsPerSecond: Int64) {
        self.bitsPerSecond = bitsPerSecond
    }

    package init?(parsing text: String) {
        let units: [(String, Double)] = [("gbit", 1e9), ("mbit", 1e6), ("kbit", 1e3), ("bit", 1)]
        guard let unit = units.first(where: { text.hasSuffix($0.0) }),
            let count = Double(text.dropLast(unit.0.count)), count > 0, count * unit.1 < 9e18
        else { return nil }
        bitsPerSecond = Int64(count * unit.1)
    }

    package var description: String {
        switch bitsPerSecond {
        case 1_000_000_000...: decimal(Double(bitsPerSecond) / 1e9, places: 3) + "gbit"
        case 1_000_000...: decimal(Double(bitsPerSecond) / 1e6, places: 3) + "mbit"
        case 1_000...: decimal(Double(bitsPerSecond) / 1e3, places: 3) + "kbit"
        default: "\(bitsPerSecond)bit"
        }
    }

    package static func < (left: Bandwidth, right: Bandwidth) -> Bool { left.bitsPerSecond < right.bitsPerSecond }
}

/// A size in bytes, written `64MiB`, `1GiB`, `512KiB` or `100B`. Binary prefixes only, to leave no doubt.
package struct ByteCount: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    package var bytes: Int64

    package init(bytes: Int64) {
        self.bytes = bytes
    }

    package init?(parsing text: String) {
        let units: [(String, Double)] = [("GiB", 1_073_741_824), ("MiB", 1_048_576), ("KiB", 1_024), ("B", 1)]
        guard let unit = units.first(where: { text.hasSuffix($0.0) }),
            let count = Double(text.dropLast(unit.0.count)), count >= 0, count * unit.1 < 9e18
        else { return nil }
        bytes = Int64(count * unit.1)
    }

    package var description: String {
        switch bytes {
        case 1_073_741_824...: decimal(Double(bytes) / 1_073_741_824, places: 2) + "GiB"
        case 1_048_576...: decimal(Double(bytes) / 1_048_576, places: 2) + "MiB"
        case 1_024...: decimal(Double(bytes) / 1_024, places: 2) + "KiB"
        default: "\(bytes)B"
        }
    }

    package static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
}
