import Basics
import Synchronization
import Testing

@testable import HTTP

@Suite struct StreamTests {
    let server: TestServer
    let client: HTTPClient

    init() throws {
        server = try TestServer()
        client = try HTTPClient()
    }

    @Test func chunksArriveCompleteAndInOrder() async throws {
        let stream = try await client.stream(HTTPRequest(.get, "\(server.url)/chunks/40/50000"))
        #expect(stream.head.status == 200)
        #expect(stream.head.headers["transfer-encoding"] == "chunked")
        var body: [UInt8] = []
        for try await chunk in stream { body += chunk }
        #expect(body.count == 40 * 50_000)
        for number in 0..<40 {
            let part = body[number * 50_000..<(number + 1) * 50_000]
            #expect(part.allSatisfy { $0 == UInt8(65 + number % 26) })
        }
    }

    @Test func aReaderThatWaitsHoldsTheSenderBack() async throws {
        let total = 64 << 20
        let stream = try await client.stream(HTTPRequest(.get, "\(server.url)/chunks/1024/65536"))
        // The sender has stopped when its count stays the same over many further requests.
        var written = -1
        var unchanged = 0
        while unchanged < 50 {
            let count = Int(try await client.send(HTTPRequest(.get, "\(server.url)/written")).text) ?? 0
            unchanged = count == written ? unchanged + 1 : 0
            written = count
        }
        #expect(written < total / 2)
        var received = 0
        for try await chunk in stream { received += chunk.count }
        #expect(received == total)
    }

    @Test func aBrokenStreamGivesWhatCameAndThenThrows() async throws {
        let stream = try await client.stream(HTTPRequest(.get, "\(server.url)/half"))
        var body: [UInt8] = []
        let error = await #expect(throws: HTTPError.self) {
            while let chunk = try await stream.next() { body += chunk }
        }
        #expect(body == Array("0123456789".utf8))
        #expect(error?.code == .interrupted)
        #expect(try await stream.next() == nil)
    }

    @Test func cancellingTheReaderEndsTheStream() async throws {
        let stream = try await client.stream(HTTPRequest(.get, "\(server.url)/stall"))
        #expect(try await stream.next() == Array("0123456789".utf8))
        let code = await withTaskGroup(of: HTTPError.Code?.self) { group in
            group.addTask {
                do throws(HTTPError) {
                    _ = try await stream.next()
                    return nil
                } catch {
                    return error.code
                }
            }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(code == .cancelled)
    }

    @Test func aStreamThatIsLetGoOfClosesItsConnection() async throws {
        var stream: HTTPStream? = try await client.stream(HTTPRequest(.get, "\(server.url)/stall"))
        #expect(await client.transferCount == 1)
        #expect(stream?.head.status == 200)
        stream = nil
        // The request takes its turn on the loop after the abandonment.
        _ = try await client.send(HTTPRequest(.get, "\(server.url)/hello"))
        #expect(await client.transferCount == 0)
    }

    @Test func anErrorBeforeTheHeadIsThrownByStream() async throws {
        let error = await #expect(throws: HTTPError.self) {
            _ = try await client.stream(HTTPRequest(.get, "\(server.url)/reset"))
        }
        #expect(error?.code == .interrupted)
        #expect(await client.transferCount == 0)
    }

    @Test func anErrorAnswerIsReadToItsEndOrLimit() async throws {
        let stream = try await client.stream(HTTPRequest(.get, "\(server.url)/big/100000"))
        #expect(try await stream.collect(upTo: 1_000).count == 1_000)
    }
}
