import Basics
import Contracts
import Glibc
import Redis
import RedisSupport
import TestSupport
import Testing

/// The client against real servers.
@Suite struct RedisConnectionTests {
    @Test func everyKindOfAnswerIsRead() async throws {
        let (server, fixture) = (try await RedisServer(), try RedisFixture())
        let connection = try await fixture.connect(server.url)
        #expect(try await connection.call(["PING"], until: .soon()) == .status("PONG"))
        #expect(try await connection.call(["SET", "k", "a b\r\n\"ü"], until: .soon()) == .status("OK"))
        #expect(try await connection.call(["GET", "k"], until: .soon()).text == "a b\r\n\"ü")
        #expect(try await connection.call(["GET", "nothing"], until: .soon()) == .null)
        #expect(try await connection.call(["RPUSH", "l", "1", "2"], until: .soon()).integer == 2)
        let list = try await connection.call(["LRANGE", "l", "0", "-1"], until: .soon())
        #expect(list.array?.compactMap(\.integer) == [1, 2])
        let error = await #expect(throws: RedisError.self) { try await connection.call(["INCR", "l"], until: .soon()) }
        #expect(error?.code == .server)
        #expect(error?.reason == "WRONGTYPE")
        #expect(error?.commandSent == true)
        let unknown = await #expect(throws: RedisError.self) { try await connection.call(["NOSUCH"], until: .soon()) }
        #expect(unknown?.reason == "ERR")
        #expect(await connection.isOpen)
        await connection.close()
        #expect(await !connection.isOpen)
    }

    @Test func manyCommandsLeaveTogetherAndLargeOnesInPieces() async throws {
        let (server, fixture) = (try await RedisServer(), try RedisFixture())
        let connection = try await fixture.connect(server.url)
        let large = String(repeating: "x", count: 8 << 20)
        let commands = [["SET", "large", large], ["INCR", "large"], ["STRLEN", "large"], ["GET", "large"]]
        let answers = try await connection.call(pipeline: commands, until: .soon()).values
        #expect(answers.count == 4)
        #expect(answers[0] == .status("OK"))
        if case .error(let text) = answers[1] { #expect(text.hasPrefix("ERR")) } else { Issue.record("no error") }
        #expect(answers[2] == .integer(8 << 20))
        #expect(answers[3].text == large)
    }

    @Test func aServerThatSaysNothingTimesOutAndTheConnectionIsClosed() async throws {
        let (server, fixture) = (try await RedisServer(), try RedisFixture())
        let connection = try await fixture.connect(server.url)
        server.send(SIGSTOP)
        let start = SystemTimeSource().now
        let error = await #expect(throws: RedisError.self) {
            try await connection.call(["PING"], until: .soon(.milliseconds(100)))
        }
        #expect(error?.code == .timeout)
        #expect(error?.commandSent == true)
        let ended = try #require(error?.endedAt)
        #expect(ended - start >= .milliseconds(100) && ended - start < .seconds(5))
        #expect(await !connection.isOpen)
        // The kernel takes connections for a frozen server: the greeting is what is missing.
        let late = await #expect(throws: RedisError.self) {
            let next = try await fixture.connect(server.url, within: .milliseconds(100))
            _ = try await next.call(["PING"], until: .soon(.milliseconds(100)))
        }
        #expect(late?.code == .timeout)
        server.send(SIGCONT)
        #expect(try await fixture.connect(server.url).call(["PING"], until: .soon()) == .status("PONG"))
    }

    @Test func aServerThatDiesIsNoticedWithAndWithoutACommandUnderWay() async throws {
        let (server, fixture) = (try await RedisServer(), try RedisFixture())
        let (idle, busy) = (try await fixture.connect(server.url), try await fixture.connect(server.url))
        let waiting = Task { try await busy.call(["BLPOP", "nothing", "0"], until: .soon()) }
        try await eventually("a client is blocked") {
            try await idle.call(["INFO", "clients"], until: .soon()).text?.contains("blocked_clients:1") == true
        }
        server.send(SIGKILL)
        let error = await #expect(throws: RedisError.self) { _ = try await waiting.value }
        #expect(error?.code == .lost)
        #expect(error?.commandSent == true)
        try await eventually("the idle connection is closed") { await !idle.isOpen }
        let refused = await #expect(throws: RedisError.self) { try await fixture.connect(server.url) }
        #expect(refused?.code == .refused)
        #expect(refused?.commandSent == false)
    }

    @Test func aCancelledCallEndsAtOnce() async throws {
        let (server, fixture) = (try await RedisServer(), try RedisFixture())
        let connection = try await fixture.connect(server.url)
        let task = Task { try await connection.call(["BLPOP", "nothing", "0"], until: .soon(.minutes(10))) }
        task.cancel()
        let error = await #expect(throws: RedisError.self) { _ = try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test func usersAndPasswordsAreChecked() async throws {
        let server = try await RedisServer([
            "requirepass correct horse".replacing(" h", with: "-h"), "user reader on >sesame ~* +get +ping +select",
        ])
        let fixture = try RedisFixture(secrets: ["right": "correct-horse", "wrong": "battery", "user": "sesame"])
        func url(_ credentials: String, _ database: Int = 0) -> RedisURL {
            RedisURL("redis://\(credentials)@127.0.0.1:\(server.port)/\(database)")
        }
        #expect(
            try await fixture.connect(url(":${right}", 2)).call(["SET", "k", "2"], until: .soon()) == .status("OK"))
        let reader = try await fixture.connect(url("reader:${user}", 2))
        #expect(try await reader.call(["GET", "k"], until: .soon()).text == "2")
        let denied = await #expect(throws: RedisError.self) { try await reader.call(["DEL", "k"], until: .soon()) }
        #expect(denied?.reason == "NOPERM")
        #expect(denied?.faultError("x").code == .denied)
        let wrong = await #expect(throws: RedisError.self) { try await fixture.connect(url("reader:${wrong}")) }
        #expect(wrong?.reason == "WRONGPASS")
        #expect(wrong?.phase == .connect)
        #expect(wrong?.commandSent == false)
        let anonymous = try await fixture.connect(server.url)
        let nobody = await #expect(throws: RedisError.self) { try await anonymous.call(["GET", "k"], until: .soon()) }
        #expect(nobody?.reason == "NOAUTH")
    }

    @Test func whatIsNoRedisAndWhatIsNowhereIsSaid() async throws {
        let fixture = try RedisFixture()
        let unknown = await #expect(throws: RedisError.self) {
            try await fixture.connect(RedisURL("no-such-host.invalid"))
        }
        #expect(unknown?.code == .unresolved)
        let python = try ChildProcess([
            "python3", "-c",
            """
            import socket
            server = socket.create_server(("127.0.0.1", 0))
            print(server.getsockname()[1], flush=True)
            while True:
                peer = server.accept()[0]
                peer.sendall(b"HTTP/1.1 400 Bad Request\\r\\n\\r\\n")
                peer.recv(10)
            """,
        ])
        let port = try #require(python.line())
        let error = await #expect(throws: RedisError.self) {
            try await fixture.connect(RedisURL("127.0.0.1:\(port)")).call(["PING"], until: .soon())
        }
        #expect(error?.code == .lost)
    }
}
