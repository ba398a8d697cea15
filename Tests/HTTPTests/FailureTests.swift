import Basics
import TestSupport
import Testing

@testable import HTTP

/// What each way to fail is called, and whether it proves that nothing happened.
@Suite struct FailureTests {
    let server: TestServer
    let client: HTTPClient
    let time = SystemTimeSource()

    init() throws {
        server = try TestServer()
        client = try HTTPClient()
    }

    private func failure(_ request: HTTPRequest) async -> HTTPError? {
        do throws(HTTPError) {
            _ = try await client.send(request)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "http://127.0.0.1:1/", "http://no-such-host.invalid/", "https://127.0.0.1:1/",
    ])
    func noConnectionProvesThatNothingHappened(url: String) async throws {
        let error = try #require(await failure(HTTPRequest(.post, url, body: .bytes([1]))))
        #expect(error.code == .refusedBeforeSend)
        #expect(error.provesNothingHappened)
        #expect(error.curlCode != 0 && !error.message.isEmpty)
        #expect(error.timing?.sent == nil)
    }

    @Test func aMissingUnixSocketIsRefusedBeforeSend() async throws {
        let error = try #require(await failure(HTTPRequest(.get, "http://docker/", unixSocket: "/tmp/no-such.sock")))
        #expect(error.code == .refusedBeforeSend)
        #expect(error.description.contains("/tmp/no-such.sock"))
    }

    @Test(arguments: ["reset", "half", "garbage"])
    func anAnswerLostAfterSendingIsInterrupted(path: String) async throws {
        let error = try #require(await failure(HTTPRequest(.post, "\(server.url)/\(path)", body: .bytes([1]))))
        #expect(error.code == .interrupted)
        #expect(error.sentAnything)
        #expect(error.timing?.sent != nil)
    }

    @Test func aRequestOnADeadKeptConnectionIsNotSentTwice() async throws {
        _ = try await client.send(HTTPRequest(.get, "\(server.url)/last"))
        let error = try #require(await failure(HTTPRequest(.get, "\(server.url)/echo/once")))
        #expect(error.code == .interrupted)
        #expect(error.sentAnything)
        let count = try await client.send(HTTPRequest(.get, "\(server.url)/requests/echo/once"))
        #expect(count.text == "1")
    }

    @Test(arguments: ["hang", "stall"])
    func theDeadlineEndsARequestWhereverItIs(path: String) async throws {
        let start = time.now
        let error = try #require(
            await failure(HTTPRequest(.get, "\(server.url)/\(path)", deadline: start + .milliseconds(500))))
        let ended = try #require(error.timing?.ended)
        #expect(error.code == .timeout)
        #expect(error.sentAnything)
        #expect(ended - start >= .milliseconds(500) && ended - start < .seconds(2))
    }

    @Test func aDeadlineInThePastSendsNothing() async throws {
        let error = try #require(await failure(HTTPRequest(.get, "\(server.url)/echo/late", deadline: time.now)))
        #expect(error.code == .timeout)
        #expect(error.provesNothingHappened)
        #expect(try await client.send(HTTPRequest(.get, "\(server.url)/requests/echo/late")).text == "0")
    }

    @Test func aConnectTimeoutProvesThatNothingHappened() async throws {
        let listener = try FullListener()
        let error = try #require(
            await failure(
                HTTPRequest(.get, "http://127.0.0.1:\(listener.port)/", connectTimeout: .milliseconds(100))))
        #expect(error.code == .timeout)
        #expect(error.provesNothingHappened)
    }

    @Test func aBodyOverTheLimitIsTooLarge() async throws {
        var request = HTTPRequest(.get, "\(server.url)/big/1000", maxBody: ByteCount(bytes: 999))
        let error = try #require(await failure(request))
        #expect(error.code == .tooLarge)
        request.maxBody = ByteCount(bytes: 1_000)
        #expect(try await client.send(request).body.count == 1_000)
    }

    @Test(arguments: ["hang", "stall"])
    func cancellingTheTaskEndsTheTransfer(path: String) async throws {
        let request = HTTPRequest(.get, "\(server.url)/\(path)")
        let counter = HTTPRequest(.get, "\(server.url)/requests/\(path)")
        let error = try await withThrowingTaskGroup(of: HTTPError?.self) { group in
            group.addTask { await failure(request) }
            while try await client.send(counter).text == "0" {}
            group.cancelAll()
            return try await group.next() ?? nil
        }
        #expect(error?.code == .cancelled)
        #expect(error?.sentAnything == true)
    }

    @Test func aCancelledTaskSendsNothing() async throws {
        let request = HTTPRequest(.get, "\(server.url)/echo/cancelled")
        let error = await withTaskGroup(of: HTTPError?.self) { group in
            group.cancelAll()
            group.addTask { await failure(request) }
            return await group.next() ?? nil
        }
        #expect(error?.code == .cancelled)
        #expect(error?.provesNothingHappened == true)
        #expect(try await client.send(HTTPRequest(.get, "\(server.url)/requests/echo/cancelled")).text == "0")
    }

    @Test func closingTheClientEndsWhatIsUnderWayAndRefusesWhatComes() async throws {
        let request = HTTPRequest(.get, "\(server.url)/hang")
        let error = try await withThrowingTaskGroup(of: HTTPError?.self) { group in
            group.addTask { await failure(request) }
            while try await client.send(HTTPRequest(.get, "\(server.url)/requests/hang")).text == "0" {}
            await client.close()
            return try await group.next() ?? nil
        }
        #expect(error?.code == .cancelled)
        #expect(await failure(request)?.code == .cancelled)
    }

    @Test(arguments: [
        HTTPRequest(.get, "ftp://127.0.0.1/"), HTTPRequest(.get, "http://"),
        HTTPRequest(.get, "http://127.0.0.1:1/", headers: ["X": "a\r\nHost: b"]),
        HTTPRequest(.get, "http://127.0.0.1:1/", headers: ["": "a"]),
    ])
    func whatCannotBeSentIsMisuse(request: HTTPRequest) async throws {
        let error = try #require(await failure(request))
        #expect(error.code == .misuse)
        #expect(error.provesNothingHappened)
    }

    @Test func aFailingBodySourceEndsTheRequest() async throws {
        struct SourceBroke: Error {}
        let error = try #require(
            await failure(
                HTTPRequest(.put, "\(server.url)/echo", body: .streamed(length: nil, next: { throw SourceBroke() }))))
        #expect(error.code == .interrupted)
        #expect(error.message.contains("SourceBroke"))
    }

    @Test func aMessageNamesNeitherPasswordNorQuery() async throws {
        let error = try #require(await failure(HTTPRequest(.get, "http://me:secret@127.0.0.1:1/path?token=hidden")))
        #expect(error.subject == "GET http://127.0.0.1:1/path")
        #expect(!error.description.contains("secret") && !error.description.contains("hidden"))
    }
}
