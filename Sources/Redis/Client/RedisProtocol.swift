internal import CHiredis
internal import Glibc

/// Reads answers out of bytes as they come; one per connection.
final class RedisReader {
    /// What came is no RESP2.
    struct Malformed: Error {
        var message: String
    }

    private let reader: UnsafeMutablePointer<redisReader>

    /// nil when memory is short.
    init?() {
        guard let reader = redisReaderCreate() else { return nil }
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
    }

    func feed(_ bytes: UnsafeRawBufferPointer) throws(Malformed) {
        let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        guard redisReaderFeed(reader, start, bytes.count) == REDIS_OK else { throw failure() }
    }

    /// The next whole answer; nil when there is none yet.
    func next() throws(Malformed) -> RedisValue? {
        var reply: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &reply) == REDIS_OK else { throw failure() }
        guard let reply else { return nil }
        defer { freeReplyObject(reply) }
        return value(reply.assumingMemoryBound(to: redisReply.self).pointee)
    }

    private func failure() -> Malformed {
        withUnsafeBytes(of: reader.pointee.errstr) { bytes in
            Malformed(message: String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
        }
    }

    private func value(_ reply: redisReply) -> RedisValue {
        switch reply.type {
        case REDIS_REPLY_STATUS: .status(String(decoding: content(reply), as: UTF8.self))
        case REDIS_REPLY_ERROR: .error(String(decoding: content(reply), as: UTF8.self))
        case REDIS_REPLY_STRING: .bytes(Array(content(reply)))
        case REDIS_REPLY_INTEGER: .integer(reply.integer)
        case REDIS_REPLY_ARRAY:
            .array(
                (0..<reply.elements).map { index in
                    reply.element[index].map { value($0.pointee) } ?? .null
                })
        default: .null
        }
    }

    private func content(_ reply: redisReply) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: reply.str, count: reply.str == nil ? 0 : Int(reply.len))
    }
}

/// One command as the protocol writes it; nil when memory is short.
func redisCommand(_ arguments: [String]) -> [UInt8]? {
    let texts = arguments.map { Array($0.utf8CString) }
    let lengths = texts.map { $0.count - 1 }
    // One block: pointers into it stay valid for the call.
    let block = texts.flatMap { $0 }
    var target: UnsafeMutablePointer<CChar>?
    let count = block.withUnsafeBufferPointer { buffer -> CInt in
        var offset = 0
        var pointers: [UnsafePointer<CChar>?] = texts.map { text in
            defer { offset += text.count }
            return buffer.baseAddress.map { $0 + offset }
        }
        return redisFormatCommandArgv(&target, CInt(pointers.count), &pointers, lengths)
    }
    guard count >= 0, let target else { return nil }
    defer { redisFreeCommand(target) }
    return [UInt8](UnsafeRawBufferPointer(start: target, count: Int(count)))
}
