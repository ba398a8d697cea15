import Basics
import Redis
import RedisSupport
import TestSupport
import Testing

/// TLS against a real server; the certificates are made for the test.
@Suite struct RedisTLSTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        for authority in ["ca", "stranger"] {
            try ChildProcess.run(
                ["openssl", "req", "-x509"] + key + [
                    "-subj", "/CN=\(authority)", "-keyout", "\(folder.path)/\(authority).key", "-out",
                    "\(folder.path)/\(authority).crt",
                ])
        }
        for (name, names) in [("server", "IP:127.0.0.1"), ("other", "DNS:redis.example"), ("client", "DNS:client")] {
            try ChildProcess.run(
                ["openssl", "req", "-x509"] + key + [
                    "-subj", "/CN=\(name)", "-addext", "subjectAltName=\(names)", "-addext",
                    "basicConstraints=critical,CA:FALSE", "-CA", "\(folder.path)/ca.crt", "-CAkey",
                    "\(folder.path)/ca.key", "-keyout", "\(folder.path)/\(name).key", "-out",
                    "\(folder.path)/\(name).crt",
                ])
        }
    }

    private func server(_ name: String, clients: String = "no") async throws -> RedisServer {
        try await RedisServer(
            [
                "tls-cert-file \(folder.path)/\(name).crt", "tls-key-file \(folder.path)/\(name).key",
                "tls-ca-cert-file \(folder.path)/ca.crt", "tls-auth-clients \(clients)",
            ], folder: folder)
    }

    private func url(_ server: RedisServer, _ query: String) -> RedisURL {
        RedisURL("rediss://127.0.0.1:\(server.port)?\(query)")
    }

    @Test func aServerIsTalkedToWhenItsCertificateIsForIt() async throws {
        let (server, fixture) = (try await server("server"), try RedisFixture())
        let connection = try await fixture.connect(url(server, "ca=\(folder.path)/ca.crt"))
        let large = String(repeating: "y", count: 3 << 20)
        let answers = try await connection.call(pipeline: [["SET", "k", large], ["GET", "k"]], until: .soon()).values
        #expect(answers.last?.text == large)
        let stranger = await #expect(throws: RedisError.self) {
            try await fixture.connect(url(server, "ca=\(folder.path)/stranger.crt"))
        }
        #expect(stranger?.code == .tls)
        #expect(stranger?.message.contains("certificate") == true, "\(stranger?.message ?? "")")
        let missing = await #expect(throws: RedisError.self) {
            try await fixture.connect(url(server, "ca=\(folder.path)/nothing.crt"))
        }
        #expect(missing?.code == .tls)
    }

    @Test func aCertificateForAnotherNameIsRefusedUnlessTheNameIsGiven() async throws {
        let (server, fixture) = (try await server("other"), try RedisFixture())
        let error = await #expect(throws: RedisError.self) {
            try await fixture.connect(url(server, "ca=\(folder.path)/ca.crt"))
        }
        #expect(error?.code == .tls)
        #expect(error?.message.contains("mismatch") == true, "\(error?.message ?? "")")
        let named = url(server, "ca=\(folder.path)/ca.crt&name=redis.example")
        #expect(try await fixture.connect(named).call(["PING"], until: .soon()) == .status("PONG"))
    }

    @Test func aServerThatWantsACertificateGetsIt() async throws {
        let (server, fixture) = (try await server("server", clients: "yes"), try RedisFixture())
        let mine = "ca=\(folder.path)/ca.crt&certificate=\(folder.path)/client.crt&key=\(folder.path)/client.key"
        #expect(try await fixture.connect(url(server, mine)).call(["PING"], until: .soon()) == .status("PONG"))
        // With TLS 1.3 the server refuses after our side has agreed: the first command is what is lost.
        let error = await #expect(throws: RedisError.self) {
            let connection = try await fixture.connect(url(server, "ca=\(folder.path)/ca.crt"))
            _ = try await connection.call(["PING"], until: .soon())
        }
        #expect(error?.code == .tls || error?.code == .lost, "\(String(describing: error))")
    }

    @Test func bothKindsOfMismatchAreSaid() async throws {
        let fixture = try RedisFixture()
        // A server without TLS takes the first bytes for a command that is not complete, and waits.
        let plain = try await RedisServer()
        let error = await #expect(throws: RedisError.self) {
            try await fixture.connect(RedisURL("rediss://127.0.0.1:\(plain.port)"), within: .milliseconds(200))
        }
        #expect(error?.code == .timeout)
        #expect(error?.message.contains("does the server speak TLS?") == true, "\(String(describing: error))")
        let encrypted = try await server("server")
        let other = await #expect(throws: RedisError.self) {
            try await fixture.connect(encrypted.url).call(["PING"], until: .soon())
        }
        #expect(other?.code == .lost, "\(String(describing: other))")
    }
}
