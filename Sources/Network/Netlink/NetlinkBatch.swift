/// Requests that are sent as one datagram, with what is needed to understand the kernel's answers to them.
struct NetlinkBatch {
    /// One request of the batch: how a person calls it, and where it stands.
    struct Request {
        var name: String
        var range: Range<Int>
    }

    /// What the whole is for, for messages.
    var operation: String
    private(set) var bytes: [UInt8] = []
    private(set) var requests: [UInt32: Request] = [:]
    private(set) var first: UInt32 = 0
    /// The request whose acknowledgement ends the conversation.
    private(set) var last: UInt32 = 0

    init(_ operation: String) {
        self.operation = operation
    }

    /// - Parameter isLast: this request asks for an acknowledgement, none after it does.
    mutating func append(
        _ name: String, _ message: NetlinkMessage, sequence: UInt32, isLast: Bool = false
    ) throws(NetworkError) {
        let start = bytes.count
        bytes += try message.bytes()
        if requests.isEmpty { first = sequence }
        if isLast { last = sequence }
        requests[sequence] = Request(name: name, range: start..<bytes.count)
    }
}
