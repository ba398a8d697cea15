// Public for the compiler alone, as `Instant` says: documented like what is `package`.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

internal import Synchronization

/// An interned name (a probe, a node, an error class): four bytes in an observation, its text in files and reports.
///
/// A run writes hundreds of thousands of observations with a few dozen distinct names; interning keeps them small.
public struct Label: Sendable, Hashable {
    private let index: UInt32

    public init(_ text: String) {
        index = table.withLock { $0.intern(text) }
    }

    private init(index: UInt32) {
        self.index = index
    }

    /// The empty name, which is the table's first.
    public static var none: Label { Label(index: 0) }

    /// Names are numbered by us, so that no attacker can choose them: one multiplication spreads them over a table, and
    /// never sends two to one place. A run looks names up a few hundred thousand times.
    public func _rawHashValue(seed: Int) -> Int { Int(truncatingIfNeeded: index) &* 0x9E37_79B9_7F4A_7C1 ^ seed }

    public var text: String { table.withLock { $0.texts[Int(index)] } }
    public var isEmpty: Bool { index == 0 }
}

extension Label: ExpressibleByStringLiteral, CustomStringConvertible, Comparable, Codable {
    public init(stringLiteral text: String) {
        self.init(text)
    }

    public var description: String { text }
    public static func < (left: Label, right: Label) -> Bool { left.text < right.text }

    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

private struct LabelTable {
    var texts = [""]
    var indices: [String: UInt32] = ["": 0]

    mutating func intern(_ text: String) -> UInt32 {
        if let index = indices[text] { return index }
        let index = UInt32(texts.count)
        texts.append(text)
        indices[text] = index
        return index
    }
}

private let table = Mutex(LabelTable())
