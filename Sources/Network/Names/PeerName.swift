/// What a file names as a peer outside any container: an address, a block, or a host name.
package enum PeerName: Sendable, Hashable, CustomStringConvertible {
    case range(AddressRange)
    /// Looked up when the fault is injected, not when the file is read.
    case host(String)

    /// nil for what is neither: an address with a zone, a name with characters that no host has (RFC 1123).
    package init?(parsing text: String) {
        if let range = AddressRange(parsing: text) {
            self = .range(range)
            return
        }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        // One that ends in a number is a broken address (RFC 3696 section 2), not a name.
        guard (1...253).contains(text.utf8.count), labels.allSatisfy(Self.isLabel),
            let last = labels.last, !last.utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        self = .host(text)
    }

    private static func isLabel(_ label: Substring) -> Bool {
        guard (1...63).contains(label.utf8.count), label.first != "-", label.last != "-" else { return false }
        return label.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    package var description: String {
        switch self {
        case .range(let range): "\(range)"
        case .host(let name): name
        }
    }
}
