/// Numbers that make the parts of a tree known as one fault's: drawn once for a fault, the same in every namespace.
///
/// A queueing discipline can bear no text. Ours have handles that nobody else uses: the root 0xC4A5, below it a class and
/// a leaf whose numbers are drawn from 200 million pairs, so that a heal finds what is its fault's, wherever it is, and
/// nothing else.
package struct TreeMark: Sendable, Hashable, Codable {
    /// Handle of every root of ours: `c4a5:`.
    static let root = UInt32(0xc4a5) << 16

    /// Minor of the class that delays, shapes or changes; the next one loses everything.
    package let minor: UInt16
    /// Major of the leaf in it; the next one is that of the leaf that loses everything.
    package let major: UInt16

    package init(using generator: inout some RandomNumberGenerator) {
        // Even numbers, so that the next one is free. Leaves have majors above the root's.
        minor = UInt16.random(in: 0x10...0x7ff0, using: &generator) * 2
        major = UInt16.random(in: 0x6253...0x7ff0, using: &generator) * 2
    }

    init(minor: UInt16, major: UInt16) {
        self.minor = minor
        self.major = major
    }

    /// The class of the impairment, and the priority that leads a packet to it.
    var shaped: UInt32 { Self.root | UInt32(minor) }
    /// The class of the packets to be lost.
    var lost: UInt32 { Self.root | UInt32(minor + 1) }

    func leaf(of part: UInt32) -> UInt32 { UInt32(part == lost ? major + 1 : major) << 16 }
}

// MARK: Links

extension TreeMark {
    /// How many interfaces of a namespace can have a link of ours.
    static let mostLinks = 64

    /// Begins the name of every link of the fault: `sq0010c4a8i`.
    var linkPrefix: String { "sq\(Self.hexadecimal(minor))\(Self.hexadecimal(major))i" }

    func linkName(_ number: Int) -> String { "\(linkPrefix)\(number)" }

    /// The index of a link, chosen by us, so that rules can name it before it is there. Far above those that the kernel
    /// gives.
    private static let firstLink = Int32(0x4000_0000)

    static func isLink(_ index: Int32) -> Bool { index >= firstLink }

    func linkIndex(_ number: Int) -> Int32 { Self.firstLink + Int32(minor / 2) * Int32(Self.mostLinks) + Int32(number) }

    private static func hexadecimal(_ number: UInt16) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}
