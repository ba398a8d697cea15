extension DomainName {
    /// A name inside a message, which may go on elsewhere (RFC 1035, 4.1.4). Untrusted bytes: a pointer must lead to
    /// before the part that it ends, so that none leads in circles; nil for any other.
    init?(in message: [UInt8], at offset: Int) {
        var labels: [[UInt8]] = []
        var length = 1
        var (place, beginning) = (offset, offset)
        while message.indices.contains(place) {
            let head = message[place]
            switch head {
            case 0:
                self.init(labels: labels)
                return
            case 1..<64:
                let end = place + 1 + Int(head)
                length += Int(head) + 1
                guard end <= message.count, length <= 255 else { return nil }
                labels.append(Array(message[(place + 1)..<end]))
                place = end
            case 192...:
                guard message.indices.contains(place + 1) else { return nil }
                let target = Int(head & 63) << 8 | Int(message[place + 1])
                guard target < beginning else { return nil }
                (place, beginning) = (target, target)
            default:
                return nil
            }
        }
        return nil
    }
}
