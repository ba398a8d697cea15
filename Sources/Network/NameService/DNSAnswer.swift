/// How a query was answered, as our own question before and after a fault sees it.
package struct DNSAnswer: Sendable, Hashable {
    /// RCODE (RFC 1035, 4.1.1), by its name in people's messages.
    package enum Code: Sendable, Hashable, CustomStringConvertible {
        case success
        case serverFailure
        case noSuchName
        case refused
        case other(UInt8)

        init(_ number: UInt8) {
            switch number {
            case 0: self = .success
            case 2: self = .serverFailure
            case 3: self = .noSuchName
            case 5: self = .refused
            default: self = .other(number)
            }
        }

        var number: UInt8 {
            switch self {
            case .success: 0
            case .serverFailure: 2
            case .noSuchName: 3
            case .refused: 5
            case .other(let number): number
            }
        }

        package var description: String {
            switch self {
            case .success: "NOERROR"
            case .serverFailure: "SERVFAIL"
            case .noSuchName: "NXDOMAIN"
            case .refused: "REFUSED"
            case .other(let number): "RCODE \(number)"
            }
        }
    }

    var code: Code
    /// Sorted: servers turn their answers around from query to query.
    var addresses: [AddressRange]

    init(_ code: Code, _ addresses: [AddressRange] = []) {
        self.code = code
        self.addresses = addresses.sorted()
    }

    /// nil when the message is no answer to `question`.
    init?(_ message: [UInt8], to question: DNSQuestion) {
        var reader = DNSReader(message)
        guard let header = DNSHeader(&reader), header.isResponse, header.identifier == question.identifier else {
            return nil
        }
        // Some servers leave the question out of an error.
        for _ in 0..<header.counts[0] where !reader.skipQuestion() { return nil }
        var addresses: [AddressRange] = []
        for _ in 0..<header.counts[1] {
            guard let record = reader.record() else { break }
            switch (record.type, record.content.count) {
            case (DNSQuestion.RecordType.address4, 4): addresses.append(AddressRange(.version4, Array(record.content)))
            case (DNSQuestion.RecordType.address6, 16): addresses.append(AddressRange(.version6, Array(record.content)))
            default: continue
            }
        }
        self.init(Code(UInt8(header.flags & 15)), addresses)
    }

    /// The answer as a message. Nobody may keep it: its records live for 0 seconds, and a negative answer without a SOA
    /// record is not cached (RFC 2308, 5), so that nothing of the fault outlives the heal.
    func message(to question: DNSQuestion) -> [UInt8] {
        let records = addresses.compactMap { address -> [UInt8]? in
            let isVersion4 = address.family == .version4
            let type = isVersion4 ? DNSQuestion.RecordType.address4 : DNSQuestion.RecordType.address6
            guard question.type == type || question.type == DNSQuestion.RecordType.any else { return nil }
            // The name is a pointer to the question's, which begins after the header.
            return [0xc0, 0x0c] + bigEndian(type) + [0, 1] + [0, 0, 0, 0] + bigEndian(UInt16(address.first.count))
                + address.first
        }
        // OPT: root, type 41, room for 1232 bytes (no fragments on any path), no extended code, no flags.
        let options: [UInt8] = question.hasOptions ? [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0] : []
        let header = DNSHeader(
            // QR, and "recursion available" beside what the query said.
            identifier: question.identifier, flags: 0x8080 | question.flags | UInt16(code.number),
            counts: [1, UInt16(truncatingIfNeeded: records.count), 0, question.hasOptions ? 1 : 0])
        return header.bytes + question.section + records.joined() + options
    }
}

extension DNSAnswer: CustomStringConvertible {
    package var description: String {
        addresses.isEmpty ? "\(code)" : addresses.map(\.description).joined(separator: ", ")
    }
}
