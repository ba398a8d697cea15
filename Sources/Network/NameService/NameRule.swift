package import Basics

/// What happens to queries for chosen names.
package struct NameRule: Sendable, Hashable, Codable {
    package enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
        /// No answer ever comes.
        case drop
        /// The true answer comes late.
        case delay
        case refuse
        case servfail
        case nxdomain
        case wrongAnswer = "wrong-answer"
    }

    /// What to do with one query.
    enum Decision: Hashable {
        /// It is nothing to us, or cannot be understood: the resolver sees it as it came.
        case pass
        case passLater(Span)
        case ignore
        case answer([UInt8])
    }

    /// All names when empty.
    package var names: [NamePattern]
    package var mode: Mode
    package var delay: Span
    package var addresses: [AddressRange]

    package init(names: [NamePattern], mode: Mode, delay: Span = .zero, addresses: [AddressRange] = []) {
        self.names = names
        self.mode = mode
        self.delay = delay
        self.addresses = addresses
    }

    func matches(_ name: DomainName) -> Bool { names.isEmpty || names.contains { $0.matches(name) } }

    /// - Parameter message: untrusted bytes.
    func decide(_ message: [UInt8]) -> Decision {
        guard let question = DNSQuestion(message), matches(question.name) else { return .pass }
        switch mode {
        case .drop: return .ignore
        case .delay: return .passLater(delay)
        case .refuse, .servfail, .nxdomain, .wrongAnswer:
            return .answer((answer ?? DNSAnswer(.serverFailure)).message(to: question))
        }
    }

    /// What those who ask are told; nil for modes that tell nothing of their own.
    var answer: DNSAnswer? {
        switch mode {
        case .drop, .delay: nil
        case .refuse: DNSAnswer(.refused)
        case .servfail: DNSAnswer(.serverFailure)
        case .nxdomain: DNSAnswer(.noSuchName)
        case .wrongAnswer: DNSAnswer(.success, addresses)
        }
    }

    /// In words: `names db.example.com, *.internal`.
    package var summary: String {
        names.isEmpty ? "all names" : names.map(\.description).joined(separator: ", ")
    }
}
