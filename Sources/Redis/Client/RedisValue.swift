/// An answer of the protocol (RESP2).
package enum RedisValue: Sendable, Hashable {
    /// `+OK`
    case status(String)
    /// A string, which may hold any bytes.
    case bytes([UInt8])
    case integer(Int64)
    case null
    case array([RedisValue])
    /// `-READONLY You can't write against a read only replica.`
    case error(String)

    /// A status or a string as text.
    package var text: String? {
        switch self {
        case .status(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .integer, .null, .array, .error: nil
        }
    }

    package var integer: Int64? {
        switch self {
        case .integer(let number): number
        case .bytes, .status: text.flatMap { Int64($0) }
        case .null, .array, .error: nil
        }
    }

    package var array: [RedisValue]? { if case .array(let values) = self { values } else { nil } }
}
