/// A query as it came from somebody's program: what is asked, and what an answer must repeat. Untrusted bytes.
struct DNSQuestion: Hashable {
    /// Types of records that faults and probes know (RFC 1035, RFC 3596).
    enum RecordType {
        static let address4: UInt16 = 1
        static let address6: UInt16 = 28
        static let options: UInt16 = 41
        static let any: UInt16 = 255
    }

    var identifier: UInt16
    /// Opcode and "recursion desired", in their places.
    var flags: UInt16
    var name: DomainName
    var type: UInt16
    /// The question section, byte for byte: some clients change the case of letters and look for it in the answer.
    var section: [UInt8]
    /// The query has an OPT record (EDNS, RFC 6891): then the answer must have one, too.
    var hasOptions: Bool

    /// nil for what is no ordinary query: a response, another opcode, no question or several, a name that is broken.
    init?(_ message: [UInt8]) {
        var reader = DNSReader(message)
        guard let header = DNSHeader(&reader), !header.isResponse, header.opcode == 0, header.counts[0] == 1 else {
            return nil
        }
        guard let name = reader.name(), let type = reader.number(), reader.number() != nil else { return nil }
        identifier = header.identifier
        flags = header.flags & 0x7900
        self.name = name
        self.type = type
        section = Array(message[DNSHeader.length..<reader.offset])
        hasOptions = false
        let rest = header.counts[1...].reduce(0) { $0 + Int($1) }
        for _ in 0..<rest {
            // A record that is cut off makes no difference to what is asked.
            guard let record = reader.record() else { break }
            if record.type == RecordType.options { hasOptions = true }
        }
    }

    /// A query of our own.
    init(_ name: DomainName, type: UInt16, identifier: UInt16) {
        self.identifier = identifier
        flags = 0x0100
        self.name = name
        self.type = type
        section = name.wire + bigEndian(type) + bigEndian(UInt16(1))
        hasOptions = false
    }

    var bytes: [UInt8] {
        DNSHeader(identifier: identifier, flags: flags, counts: [1, 0, 0, 0]).bytes + section
    }
}

/// The twelve bytes before everything else (RFC 1035, 4.1.1).
struct DNSHeader: Hashable {
    static let length = 12

    var identifier: UInt16
    var flags: UInt16
    /// Questions, answers, authorities, additional records.
    var counts: [UInt16]

    init(identifier: UInt16, flags: UInt16, counts: [UInt16]) {
        self.identifier = identifier
        self.flags = flags
        self.counts = counts
    }

    init?(_ reader: inout DNSReader) {
        guard let identifier = reader.number(), let flags = reader.number() else { return nil }
        var counts: [UInt16] = []
        for _ in 0..<4 {
            guard let count = reader.number() else { return nil }
            counts.append(count)
        }
        self.init(identifier: identifier, flags: flags, counts: counts)
    }

    var isResponse: Bool { flags & 0x8000 != 0 }
    var opcode: UInt16 { flags >> 11 & 15 }

    var bytes: [UInt8] { bigEndian(identifier) + bigEndian(flags) + counts.flatMap { bigEndian($0) } }
}
