package import Basics

/// One network fault as the kernel service holds it: a mark on all that is made for it, where, and what.
package struct NetworkWork: Sendable {
    /// Name of the tables: nothing else is ever touched.
    package let mark: String
    /// For whoever lists the tables.
    package let run: String
    /// Where they are now; the undo has them as they were.
    package internal(set) var members: [NamespaceMember]
    let rules: any NamespaceRules

    init(mark: String, run: String, members: [NamespaceMember], rules: any NamespaceRules) {
        self.mark = mark
        self.run = run
        self.members = members
        self.rules = rules
    }
}

/// What becomes of a fault between its arming and its release, told on the kernel service's thread.
package enum HoldEvent: Sendable, Hashable {
    /// It is not there any more, or was not where it should have been; in the words of a person.
    case lost(String)
    /// A member's process ended, and its namespace was let go.
    case ended(String, at: Instant)
    /// A member is in another namespace, or has other addresses or interfaces, and has the fault again: for how long it
    /// was without, and how it has changed.
    case followed(String, without: InstantRange, change: String)
    /// What the rules of one member have counted since the arming.
    case counted(String, Counted, at: Instant)
    /// The same of all members, at the release.
    case totals([MemberTotal], at: Instant)
    /// Switched on or off by its pattern.
    case switched(isOn: Bool, InstantRange)
}

/// What the rules of one member have counted in all.
package struct MemberTotal: Sendable, Hashable {
    package var name: String
    package var sum: Counted
}

/// Packets and bytes that matched rules.
package struct Counted: Sendable, Hashable {
    package var packets: UInt64
    package var bytes: UInt64

    package init(packets: UInt64 = 0, bytes: UInt64 = 0) {
        self.packets = packets
        self.bytes = bytes
    }

    static func + (left: Counted, right: Counted) -> Counted {
        Counted(packets: left.packets + right.packets, bytes: left.bytes + right.bytes)
    }
}

/// When a fault is on and when it is off, over and over, counted from its arming.
package struct SwitchPattern: Sendable, Hashable, Codable, CustomStringConvertible {
    /// On, off, on, off, …: an even number of spans, each above zero.
    package let spans: [Span]

    /// nil for a pattern that never switches or stands still.
    package init?(_ spans: [Span]) {
        guard !spans.isEmpty, spans.count.isMultiple(of: 2), spans.allSatisfy({ $0 > .zero }) else { return nil }
        self.spans = spans
    }

    /// On and off for a second each.
    static let everySecond = SwitchPattern(alternating: .seconds(1))

    private init(alternating span: Span) {
        spans = [span, span]
    }

    /// `2s on, 3s off`
    package var description: String {
        spans.enumerated().map { "\($1) \($0.isMultiple(of: 2) ? "on" : "off")" }.joined(separator: ", ")
    }

    /// How long the stretch of this number lasts; even ones are on.
    func span(_ stretch: Int) -> Span { spans[stretch % spans.count] }
}
