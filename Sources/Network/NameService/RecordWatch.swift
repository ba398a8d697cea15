internal import Basics

/// What a name led to from look to look, and each change in words.
struct RecordWatch: Sendable {
    private let subject: String
    private var last: (text: String, at: Instant)?
    private var silence: String?
    private var isKeptEndTold = false

    init(_ name: DomainName, _ kind: RecordKind) {
        subject = "\(name) \(kind.rawValue)"
    }

    /// `db.example.com A was 10.0.0.1, is 10.0.0.2, seen 1.002s after the old answer was last seen (TTL 5s)`; nil when
    /// it is the same. When it changed is somewhere in that time.
    mutating func news(_ answer: RecordAnswer, at end: Instant) -> String? {
        let text = answer.isResolved ? answer.identity : "\(answer.state)"
        defer { last = (text, end) }
        guard let last else { return "\(subject) is \(text)\(Self.life(answer))" }
        guard last.text != text else { return nil }
        return "\(subject) was \(last.text), is \(text), seen \(end - last.at) after the old answer was last seen"
            + Self.life(answer)
    }

    /// The server's silence, once; and that it is over, once.
    mutating func news(silence reason: String?, of server: NameServer) -> String? {
        defer { silence = reason }
        guard reason != silence else { return nil }
        return reason.map { "name server \(server) gives no answer: \($0)" } ?? "name server \(server) answers again"
    }

    /// The end of the kept connection, once.
    mutating func news(_ kept: RecordConnector.Kept, port: UInt16) -> String? {
        guard let end = kept.end, !isKeptEndTold else { return nil }
        isKeptEndTold = true
        return "the kept connection to \(kept.address) port \(port) is over: \(end)"
    }

    private static func life(_ answer: RecordAnswer) -> String {
        answer.timeToLive.map { " (TTL \(Span.seconds(Int64($0))))" } ?? ""
    }
}
