package import Basics

/// One HTTP request: what to send, where to, and how long it may take.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable, Hashable, Codable, CaseIterable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
        case options = "OPTIONS"
    }

    /// Whether a connection of an earlier request may be used, and kept for later ones.
    package enum Connection: String, Sendable, Hashable, Codable, CaseIterable {
        case kept
        /// A new connection with a new name lookup, closed afterwards: what a client that just started would see.
        case fresh
    }

    package enum Redirects: Sendable, Hashable {
        /// A 3xx answer is the answer.
        case refused
        case followed(max: Int)
    }

    /// What a cancelled task means for its request.
    package enum Cancellation: String, Sendable, Hashable, Codable {
        case endsTransfer
        /// The answer, or the deadline, ends it: a probe that stops must not turn what is in flight into failures.
        case ignored
    }

    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Pulled as the connection takes it; nil ends the body. Without a length it is sent chunked. Only for `send`.
        case streamed(length: Int64?, next: @Sendable () async throws -> [UInt8]?)
    }

    package var method: Method
    /// `http://` or `https://`; with a unix socket the host is only a name for the Host header.
    package var url: String
    /// Path of the unix socket to connect to instead of the URL's host; proxies are ignored then.
    package var unixSocket: String?
    package var headers: HTTPHeaders
    package var body: Body
    /// The transfer ends in `HTTPError.Code.timeout` at this instant, body included; nil: no limit.
    package var deadline: Instant?
    /// Limit for name lookup, TCP and TLS together; nil: only the deadline.
    package var connectTimeout: Span?
    package var tls: TLSOptions
    package var connection: Connection
    package var redirects: Redirects
    /// A longer body ends a `send` in `HTTPError.Code.tooLarge`; a `stream` has no limit, only a bounded buffer.
    package var maxBody: ByteCount
    package var cancellation: Cancellation

    package init(
        _ method: Method = .get, _ url: String, unixSocket: String? = nil, headers: HTTPHeaders = [:],
        body: Body = .none, deadline: Instant? = nil, connectTimeout: Span? = nil, tls: TLSOptions = TLSOptions(),
        connection: Connection = .kept, redirects: Redirects = .refused,
        maxBody: ByteCount = ByteCount(bytes: 64 * 1_048_576), cancellation: Cancellation = .endsTransfer
    ) {
        self.method = method
        self.url = url
        self.unixSocket = unixSocket
        self.headers = headers
        self.body = body
        self.deadline = deadline
        self.connectTimeout = connectTimeout
        self.tls = tls
        self.connection = connection
        self.redirects = redirects
        self.maxBody = maxBody
        self.cancellation = cancellation
    }
}

/// Whom to trust and as whom to appear. Paths of PEM files; the files are read by libcurl when it connects.
package struct TLSOptions: Sendable, Hashable {
    /// nil: the system's certificate authorities.
    package var authorityFile: String?
    package var certificateFile: String?
    package var keyFile: String?
    /// Off: any certificate is accepted.
    package var verifiesPeer: Bool
    /// Off: the certificate may be for another name.
    package var verifiesHost: Bool

    package init(
        authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil,
        verifiesPeer: Bool = true, verifiesHost: Bool = true
    ) {
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.verifiesPeer = verifiesPeer
        self.verifiesHost = verifiesHost
    }
}

/// Text for one path segment or query value: everything but RFC 3986's unreserved characters as `%XX` of its UTF-8.
package func percentEncoded(_ text: String) -> String { percentEncoded(decoding: text.utf8) }

/// The same for bytes that need not be UTF-8.
package func percentEncoded(decoding bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var encoded: [UInt8] = []
    for byte in bytes {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            encoded.append(byte)
        default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: encoded, as: UTF8.self)
}
