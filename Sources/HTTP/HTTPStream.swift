/// The body of an answer as it arrives: chunks of whatever size the network gave, in order.
///
/// One reader at a time. Breaking out of the loop, cancelling the reader or letting go of the stream ends the transfer.
package final class HTTPStream: Sendable, AsyncSequence {
    package typealias Element = [UInt8]
    package typealias Failure = HTTPError

    package let head: HTTPHead
    private let client: HTTPClient
    private let number: UInt64

    init(head: HTTPHead, client: HTTPClient, number: UInt64) {
        self.head = head
        self.client = client
        self.number = number
    }

    deinit {
        client.abandon(number)
    }

    /// The next chunk; nil at the end of the body. Throws when the transfer broke.
    package func next() async throws(HTTPError) -> [UInt8]? {
        try await client.nextChunk(of: number)
    }

    /// Reads the rest, at most `limit` bytes: for the message in an error answer.
    package func collect(upTo limit: Int) async throws(HTTPError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit, let chunk = try await next() { bytes += chunk }
        return Array(bytes.prefix(limit))
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let stream: HTTPStream

        package mutating func next() async throws(HTTPError) -> [UInt8]? {
            try await stream.next()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
