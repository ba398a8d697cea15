import Basics
import TestSupport
import Testing

@testable import HTTP

@Suite struct SendTests {
    let server: TestServer
    let client: HTTPClient
    let time = SystemTimeSource()

    init() throws {
        server = try TestServer()
        client = try HTTPClient()
    }

    @Test func anAnswerHasStatusHeadersBodyAndTimes() async throws {
        let before = time.now
        let response = try await client.send(HTTPRequest(.get, "\(server.url)/hello"))
        let after = time.now
        #expect(response.status == 200)
        #expect(response.text == "hello")
        #expect(response.headers["X-CASE"] == "One")
        #expect(response.headers.values(for: "x-case") == ["One", "Two"])
        #expect(response.headers["empty"] == "")
        #expect(response.headers["absent"] == nil)
        let timing = response.timing
        let sent = try #require(timing.sent)
        #expect(before <= timing.started && timing.started <= sent && sent <= timing.ended && timing.ended <= after)
        #expect(timing.connect <= timing.firstByte && timing.firstByte <= timing.total)
        #expect(timing.total <= after - before)
        #expect("http://\(timing.remoteAddress)" == server.url)
        #expect(!timing.isReused)
    }

    @Test(arguments: [
        (HTTPRequest.Method.get, false), (.post, false), (.post, true), (.put, true), (.patch, true), (.delete, false),
        (.delete, true), (.options, false),
    ])
    func everyMethodArrivesWithItsBody(method: HTTPRequest.Method, hasBody: Bool) async throws {
        let response = try await client.send(
            HTTPRequest(
                method, "\(server.url)/echo?a=%20b", headers: ["X-One": "1", "X-Empty": ""],
                body: hasBody ? .bytes(Array("body".utf8)) : .none))
        #expect(response.text.contains(#""method": "\#(method.rawValue)""#))
        #expect(response.text.contains(#""path": "/echo?a=%20b""#))
        #expect(response.text.contains(#""body": "\#(hasBody ? "body" : "")""#))
        #expect(response.text.contains(#""x-one": "1""#))
        #expect(response.text.contains(#""x-empty": """#))
        #expect(!response.text.contains("expect") && !response.text.contains("content-type"))
        let announcesEmptyBody = response.text.contains(#""content-length": "0""#)
        #expect(announcesEmptyBody == (method == .post && !hasBody))
    }

    @Test func aHeadAnswerHasNoBody() async throws {
        let response = try await client.send(HTTPRequest(.head, "\(server.url)/status/204"))
        #expect(response.status == 204)
        #expect(response.body.isEmpty)
    }

    @Test(arguments: [201, 204, 301, 404, 409, 500, 503])
    func anyStatusIsAnAnswer(status: Int) async throws {
        #expect(try await client.send(HTTPRequest(.get, "\(server.url)/status/\(status)")).status == status)
    }

    @Test func interimAnswersAreSkipped() async throws {
        let response = try await client.send(HTTPRequest(.get, "\(server.url)/continue"))
        #expect(response.status == 200)
        #expect(response.headers["Link"] == nil)
        #expect(response.text == "done")
    }

    @Test func aRedirectIsFollowedOnlyOnRequest() async throws {
        var request = HTTPRequest(.get, "\(server.url)/redirect")
        #expect(try await client.send(request).status == 302)
        request.redirects = .followed(max: 3)
        let response = try await client.send(request)
        #expect(response.status == 200)
        #expect(response.text == "hello")
    }

    @Test func aKeptConnectionIsUsedAgainAndAFreshOneIsNot() async throws {
        let kept = HTTPRequest(.get, "\(server.url)/connection")
        let first = try await client.send(kept)
        let second = try await client.send(kept)
        #expect(first.text == second.text)
        #expect(!first.timing.isReused && second.timing.isReused)
        var fresh = kept
        fresh.connection = .fresh
        let third = try await client.send(fresh)
        let fourth = try await client.send(fresh)
        #expect(Set([first.text, third.text, fourth.text]).count == 3)
        #expect(!third.timing.isReused && !fourth.timing.isReused)
        #expect(try await client.send(kept).text == first.text)
    }

    @Test func aBodyIsStreamedUpInOrderWhateverItsLength() async throws {
        for length in [nil, Int64(3 * 900_000)] {
            let source = Chunks(count: 3, size: 900_000)
            let response = try await client.send(
                HTTPRequest(
                    .put, "\(server.url)/echo", body: .streamed(length: length, next: { await source.next() })))
            #expect(response.text.contains(#""length": 2700000"#))
            #expect(response.text.contains(#""transfer-encoding": "chunked""#) == (length == nil))
        }
    }

    @Test func aThousandRequestsAtOnceAreAllAnswered() async throws {
        let lengths = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<1_000 {
                group.addTask { try await client.send(HTTPRequest(.get, "\(server.url)/big/\(number)")).body.count }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(lengths.sorted() == Array(0..<1_000))
    }

    @Test func aUnixSocketIsReachedWhateverTheProxy() async throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/http.sock"
        let server = try TestServer(.unix(path))
        let response = try await client.send(HTTPRequest(.get, "\(server.url)/hello", unixSocket: path))
        #expect(response.text == "hello")
        #expect(response.timing.remoteAddress == path)
    }

    /// Parts of a body, produced on demand.
    private actor Chunks {
        private var remaining: Int
        private let size: Int

        init(count: Int, size: Int) {
            remaining = count
            self.size = size
        }

        func next() -> [UInt8]? {
            guard remaining > 0 else { return nil }
            remaining -= 1
            return [UInt8](repeating: UInt8(ascii: "z"), count: size)
        }
    }

    /// A proxy must see neither what goes to this machine nor the credentials of the instance it is.
    @Test(arguments: [
        ("http://127.0.0.1:1/", true), ("http://localhost/x", true), ("http://user@[::1]:2/", true),
        ("http://169.254.169.254/latest/api/token", true), ("http://[fd00:ec2::254]/latest/", true),
        ("http://127.0.0.1.example.com/", false), ("http://169.254.169.254.example.com/", false),
        ("https://rds.us-east-1.amazonaws.com/", false), ("http://10.0.0.1/", false),
    ])
    func whatIsRightHereNeedsNoProxy(url: String, isLocal: Bool) {
        #expect(HTTPRequest(.get, url).isLocal == isLocal)
    }
}
