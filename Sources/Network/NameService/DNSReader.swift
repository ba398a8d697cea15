/// A place in a DNS message that moves on as it is read; what is not there is nil, whatever the bytes are.
struct DNSReader {
    struct Record {
        var type: UInt16
        var content: ArraySlice<UInt8>
    }

    private let bytes: [UInt8]
    private(set) var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= bytes.count - offset else { return nil }
        defer { offset += count }
        return bytes[offset..<(offset + count)]
    }

    mutating func number() -> UInt16? {
        take(2).map { UInt16($0[$0.startIndex]) << 8 | UInt16($0[$0.startIndex + 1]) }
    }

    /// A name in full. One with a pointer is nil: in a question there is nothing before it to point at.
    mutating func name() -> DomainName? {
        var labels: [[UInt8]] = []
        var length = 1
        while let head = take(1)?.first {
            if head == 0 { return DomainName(labels: labels) }
            // The two highest bits are 0 for a label (RFC 1035, 4.1.4).
            guard head < 64, let label = take(Int(head)) else { return nil }
            length += label.count + 1
            guard length <= 255 else { return nil }
            labels.append(Array(label))
        }
        return nil
    }

    /// Steps over a name; a pointer ends it. Pointers are never followed, so that no message can lead in circles.
    private mutating func skipName() -> Bool {
        while let head = take(1)?.first {
            if head == 0 { return true }
            if head >= 192 { return take(1) != nil }
            guard head < 64, take(Int(head)) != nil else { return false }
        }
        return false
    }

    /// A resource record: name, type, class, time to live, length, content.
    mutating func record() -> Record? {
        guard skipName(), let type = number(), take(6) != nil, let length = number(), let content = take(Int(length))
        else { return nil }
        return Record(type: type, content: content)
    }

    /// Steps over one question.
    mutating func skipQuestion() -> Bool { skipName() && take(4) != nil }
}
