internal import FoundationEssentials

/// One record as a line: length and CRC-32C of the payload in hex, then the JSON.
///
/// Text, so that a person without any tool can still read with `cat` what was done and how to undo it.
package enum JournalCoding {
    private static let prefixLength = 18

    package static func encode(_ record: JournalRecord) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let payload = Array(try encoder.encode(record))
        return Array("\(hex(UInt32(payload.count))) \(hex(crc32c(payload))) ".utf8) + payload + [newline]
    }

    /// Reads all records; a torn last line is dropped and reported, damage before it is an error, which holds every
    /// record that is whole: those after the damage may say what else must be undone.
    package static func decode(_ bytes: [UInt8]) throws(JournalError) -> (records: [JournalRecord], hasTornTail: Bool) {
        var records: [JournalRecord] = []
        var problem: JournalError?
        var hasTornTail = false
        var offset = 0
        var number = 1
        while offset < bytes.count {
            guard let end = bytes[offset...].firstIndex(of: newline) else {
                hasTornTail = true
                break
            }
            let line = bytes[offset..<end]
            if let payload = payload(of: line) {
                do {
                    records.append(try JSONDecoder().decode(JournalRecord.self, from: Data(payload)))
                } catch {
                    let text = "record \(number) is whole, but of a form this squall does not know"
                    problem = problem ?? JournalError(.newerVersion, text)
                }
            } else if end + 1 == bytes.count, line.contains(0) {
                // A power failure may leave the end of the last record on disk and not its beginning, which then reads
                // as zeros. A last line of text that is whole and wrong was edited.
                hasTornTail = true
            } else {
                problem = problem ?? JournalError(.damaged, "record \(number) at byte \(offset) is damaged")
            }
            offset = end + 1
            number += 1
        }
        guard var problem else { return (records, hasTornTail) }
        problem.records = records
        throw problem
    }

    /// The JSON of a line whose length and checksum are right; nil for a damaged one.
    private static func payload(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard line.count > prefixLength else { return nil }
        let fields = String(decoding: line.prefix(prefixLength), as: UTF8.self).split(separator: " ")
        let payload = line.dropFirst(prefixLength)
        guard fields.count == 2, let length = UInt32(fields[0], radix: 16), let sum = UInt32(fields[1], radix: 16),
            Int(length) == payload.count, crc32c(payload) == sum
        else { return nil }
        return payload
    }

    private static let newline = UInt8(ascii: "\n")

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}

/// Why a journal could not be written or read, with the records that could still be read.
package struct JournalError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        case damaged
        case newerVersion
        case foreignHost
        case noHeader
        /// Its writer died before the header was whole: nothing was injected, and there is nothing to heal.
        case neverOpened
        case locked
        case writeFailed
        case unreadable
        /// No medic could be started: without one nothing may be injected.
        case unwatched
    }

    package var code: Code
    package var message: String
    package var records: [JournalRecord]

    package init(_ code: Code, _ message: String, records: [JournalRecord] = []) {
        self.code = code
        self.message = message
        self.records = records
    }

    package var description: String { message }
}

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as in RFC 3720 appendix B.4.
package func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var sum = UInt32.max
    for byte in bytes { sum = (sum >> 8) ^ crcTable[Int((sum ^ UInt32(byte)) & 0xFF)] }
    return ~sum
}

private let crcTable: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { sum, _ in (sum >> 1) ^ (sum & 1 == 1 ? 0x82F6_3B78 : 0) }
}
