package import Basics

/// A complete answer: status, headers, body and where the time went.
package struct HTTPResponse: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    package var body: [UInt8]
    package var timing: HTTPTiming

    package init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = [], timing: HTTPTiming = HTTPTiming()) {
        self.status = status
        self.headers = headers
        self.body = body
        self.timing = timing
    }

    /// The body as text; bytes that are no UTF-8 become replacement characters.
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// Status and headers of a streamed answer, whose body is still to come.
package struct HTTPHead: Sendable, Hashable {
    package var status: Int
    package var headers: HTTPHeaders

    package init(status: Int, headers: HTTPHeaders) {
        self.status = status
        self.headers = headers
    }
}

/// Where the time of one transfer went. Latency from the due time is the caller's: only it knows when that was.
package struct HTTPTiming: Sendable, Hashable {
    /// The client took the request up.
    package var started: Instant
    /// Just before the first byte of the request was written; nil: it never got that far.
    package var sent: Instant?
    /// The transfer was over.
    package var ended: Instant
    /// From `started` until the name was resolved (0 for a kept connection).
    package var nameLookup: Span
    /// From `started` until TCP was connected (0 for a kept connection).
    package var connect: Span
    /// From `started` until TLS was up; 0 without TLS or on a kept connection.
    package var secured: Span
    /// From `started` until the first byte of the answer.
    package var firstByte: Span
    package var total: Span
    /// The request went over a connection that an earlier request had opened.
    package var isReused: Bool
    /// `127.0.0.1:8080`, or the unix socket's path; empty when no connection was made.
    package var remoteAddress: String

    package init(
        started: Instant = Instant(nanoseconds: 0), sent: Instant? = nil, ended: Instant = Instant(nanoseconds: 0),
        nameLookup: Span = .zero, connect: Span = .zero, secured: Span = .zero, firstByte: Span = .zero,
        total: Span = .zero, isReused: Bool = false, remoteAddress: String = ""
    ) {
        self.started = started
        self.sent = sent
        self.ended = ended
        self.nameLookup = nameLookup
        self.connect = connect
        self.secured = secured
        self.firstByte = firstByte
        self.total = total
        self.isReused = isReused
        self.remoteAddress = remoteAddress
    }
}
