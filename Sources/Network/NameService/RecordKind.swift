/// The types of records that the record probe asks for; the raw value is what a file writes.
enum RecordKind: String, Sendable, Hashable, CaseIterable {
    case address4 = "A"
    case address6 = "AAAA"
    case alias = "CNAME"

    /// On the wire (RFC 1035, 3.2.2; RFC 3596).
    var number: UInt16 {
        switch self {
        case .address4: DNSQuestion.RecordType.address4
        case .address6: DNSQuestion.RecordType.address6
        case .alias: 5
        }
    }

    /// What such a record leads to is an address.
    var isAddress: Bool {
        switch self {
        case .address4, .address6: true
        case .alias: false
        }
    }
}
