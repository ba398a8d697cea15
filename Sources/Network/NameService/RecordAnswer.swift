internal import Basics

/// What a server said to a question of the record probe: the values, and how long they may be kept.
struct RecordAnswer: Sendable, Hashable {
    var code: DNSAnswer.Code
    /// More than a datagram holds: the question must be asked again by TCP (RFC 1035, 4.2.1).
    var isTruncated: Bool
    /// In the server's order, of which clients take the first; names without the dot at the end.
    var values: [String]
    /// Seconds: the shortest life of all records on the way to the values; nil without any.
    var timeToLive: UInt32?

    init(_ code: DNSAnswer.Code, _ values: [String] = [], timeToLive: UInt32? = nil, isTruncated: Bool = false) {
        self.code = code
        self.values = values
        self.timeToLive = timeToLive
        self.isTruncated = isTruncated
    }

    /// nil when the message is no answer to `question`.
    init?(_ message: [UInt8], to question: DNSQuestion) {
        var reader = DNSReader(message)
        guard let header = DNSHeader(&reader), header.isResponse, header.identifier == question.identifier else {
            return nil
        }
        // Some servers leave the question out of an error; another one's answer is not ours.
        switch header.counts[0] {
        case 0: break
        case 1:
            guard reader.name() == question.name, reader.number() == question.type, reader.number() != nil else {
                return nil
            }
        default: return nil
        }
        var records: [Record] = []
        for _ in 0..<header.counts[1] {
            let start = reader.offset
            guard let found = reader.record() else { break }
            if let record = Record(found, startingAt: start, in: message) { records.append(record) }
        }
        self.init(DNSAnswer.Code(UInt8(header.flags & 15)), isTruncated: header.flags & 0x0200 != 0)
        take(records, for: question)
    }

    /// Follows aliases from the name that was asked for; records of other names are nobody's business here.
    private mutating func take(_ records: [Record], for question: DNSQuestion) {
        var names: Set<DomainName> = [question.name]
        var used: [Record] = []
        if question.type != RecordKind.alias.number {
            // In whatever order they stand: each round finds one more or is the last.
            while let next = records.first(where: { record in
                record.alias.map { names.contains(record.owner) && !names.contains($0) } ?? false
            }), let alias = next.alias {
                names.insert(alias)
                used.append(next)
            }
        }
        let matching = records.filter { $0.type == question.type && names.contains($0.owner) }
        values = matching.compactMap(\.value)
        timeToLive = (used + matching).map(\.timeToLive).min()
    }

    /// The same however the server turns its records around.
    var identity: String { values.sorted().joined(separator: ",") }

    /// `resolved`, `no-record`, or the server's refusal in a word.
    var state: Label {
        switch code {
        case .success: values.isEmpty ? "no-record" : "resolved"
        case .serverFailure: "servfail"
        case .noSuchName: "nxdomain"
        // A connection that is refused is something else.
        case .refused: "query-refused"
        case .other(let number): Label("rcode-\(number)")
        }
    }

    var isResolved: Bool { code == .success && !values.isEmpty }
}

/// One record of an answer with what the probe needs of it.
private struct Record: Sendable, Hashable {
    var owner: DomainName
    var type: UInt16
    var timeToLive: UInt32
    /// As people write it; nil for a type that nobody asked for, and for content that is broken.
    var value: String?
    /// Where a CNAME record leads.
    var alias: DomainName?

    init?(_ record: DNSReader.Record, startingAt start: Int, in message: [UInt8]) {
        guard let owner = DomainName(in: message, at: start) else { return nil }
        self.owner = owner
        type = record.type
        // Before the content: type, class, time to live, length (RFC 1035, 4.1.3). The high bit means 0 (RFC 2181, 8).
        let end = record.content.startIndex - 2
        let seconds = message[(end - 4)..<end].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        timeToLive = seconds & 0x8000_0000 == 0 ? seconds : 0
        switch (type, record.content.count) {
        case (RecordKind.address4.number, 4): value = "\(AddressRange(.version4, Array(record.content)))"
        case (RecordKind.address6.number, 16): value = "\(AddressRange(.version6, Array(record.content)))"
        case (RecordKind.alias.number, _):
            alias = DomainName(in: message, at: record.content.startIndex)
            value = alias.map { "\($0)" }
        default: break
        }
    }
}
