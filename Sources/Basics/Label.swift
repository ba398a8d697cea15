internal import Synchronization

/// An interned name (a probe, a node, an error class): four bytes in an observation, its text in files and reports.
///
/// A run writes hundreds of thousands of observations with a few dozen distinct names; interning keeps them small.
package struct Label: Sendable, Hashable {
    private let index: UInt32

    package init(_ text: String) {
        index = table.withLock { $0.intern(text) }
    }

    /// The empty name.
    package static let none = Label("")

    /// Names are numbered by us, so that no attacker can choose them: one multiplication spreads them over a table, and
    /// never sends two to one place. A run looks names up a few hundred thousand times.
    package func _rawHashValue(seed: Int) -> Int { Int(truncatingIfNeeded: index) &* 0x9E37_79B9_7F4A_7C1 ^ seed }

    package var text: String { table.withLock { $0.texts[Int(index)] } }
    package var isEmpty: Bool { self == .none }
}

extension Label: ExpressibleByStringLiteral, CustomStringConvertible, Comparable, Codable {
    package init(stringLiteral text: String) {
        self.init(text)
    }

    package var description: String { text }
    package static func < (left: Label, right: Label) -> Bool { left.text < right.text }

    package init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

private struct LabelTable {
    var texts: [String] = []
    var indices: [String: UInt32] = [:]

    mutating func intern(_ text: String) -> UInt32 {
        if let index = indices[text] { return index }
        let index = UInt32(texts.count)
        texts.append(text)
        indices[text] = index
        return index
    }
}

private let table = Mutex(LabelTable())
