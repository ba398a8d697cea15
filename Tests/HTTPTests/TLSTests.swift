import Basics
import TestSupport
import Testing

@testable import HTTP

/// Certificates made for this test by openssl: an authority, a server for localhost, a client, and a stranger's authority.
@Suite struct TLSTests {
    let client: HTTPClient
    let folder: TemporaryFolder

    init() throws {
        client = try HTTPClient()
        folder = try TemporaryFolder()
        try authority("ca")
        try authority("stranger")
        try certificate("server", name: "localhost")
        try certificate("client", name: "tester")
    }

    private func path(_ name: String) -> String { "\(folder.path)/\(name).pem" }

    private func authority(_ name: String) throws {
        try ChildProcess.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2", "-subj", "/CN=\(name)", "-keyout", path("\(name)-key"), "-out", path(name),
        ])
    }

    private func certificate(_ name: String, name subject: String) throws {
        try ChildProcess.run([
            "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
            "/CN=\(subject)", "-addext", "subjectAltName=DNS:\(subject)", "-x509", "-days", "2", "-CA", path("ca"),
            "-CAkey", path("ca-key"), "-keyout", path("\(name)-key"), "-out", path(name),
        ])
    }

    private func server(requiringClients: Bool = false) throws -> TestServer {
        try TestServer(
            .tls(certificate: path("server"), key: path("server-key"), authority: requiringClients ? path("ca") : nil))
    }

    private func failure(_ request: HTTPRequest) async -> HTTPError? {
        do throws(HTTPError) {
            _ = try await client.send(request)
            return nil
        } catch {
            return error
        }
    }

    @Test func aServerOfATrustedAuthorityIsBelieved() async throws {
        let server = try server()
        let response = try await client.send(
            HTTPRequest(.get, "\(server.url)/hello", tls: TLSOptions(authorityFile: path("ca"))))
        #expect(response.text == "hello")
        #expect(response.timing.secured > response.timing.connect)
    }

    @Test func aServerOfAnotherAuthorityIsRefusedBeforeAnythingIsSent() async throws {
        let server = try server()
        for tls in [TLSOptions(), TLSOptions(authorityFile: path("stranger"))] {
            let error = try #require(await failure(HTTPRequest(.get, "\(server.url)/hello", tls: tls)))
            #expect(error.code == .tls)
            #expect(error.provesNothingHappened)
        }
        let response = try await client.send(
            HTTPRequest(.get, "\(server.url)/hello", tls: TLSOptions(verifiesPeer: false)))
        #expect(response.status == 200)
    }

    @Test func aCertificateForAnotherNameIsRefusedUnlessNamesDoNotMatter() async throws {
        let server = try server()
        let url = server.url.replacing("localhost", with: "127.0.0.1")
        var tls = TLSOptions(authorityFile: path("ca"))
        let error = try #require(await failure(HTTPRequest(.get, "\(url)/hello", tls: tls)))
        #expect(error.code == .tls)
        tls.verifiesHost = false
        #expect(try await client.send(HTTPRequest(.get, "\(url)/hello", tls: tls)).status == 200)
    }

    @Test func aServerThatWantsAClientCertificateGetsIt() async throws {
        let server = try server(requiringClients: true)
        var tls = TLSOptions(authorityFile: path("ca"))
        // In TLS 1.3 the client sends before it learns that its missing certificate is refused.
        let error = try #require(await failure(HTTPRequest(.get, "\(server.url)/hello", tls: tls)))
        #expect([.interrupted, .tls].contains(error.code))
        #expect(error.sentAnything == (error.code == .interrupted))
        tls.certificateFile = path("client")
        tls.keyFile = path("client-key")
        #expect(try await client.send(HTTPRequest(.get, "\(server.url)/hello", tls: tls)).text == "hello")
    }

    @Test func aMissingKeyFileIsNamedAsATLSError() async throws {
        let server = try server()
        let tls = TLSOptions(
            authorityFile: path("ca"), certificateFile: path("client"), keyFile: "\(folder.path)/absent.pem")
        let error = try #require(await failure(HTTPRequest(.get, "\(server.url)/hello", tls: tls)))
        #expect(error.code == .tls)
        #expect(error.provesNothingHappened)
    }

    @Test func plainTextAtATLSPortIsATLSError() async throws {
        let server = try TestServer()
        let url = server.url.replacing("http:", with: "https:")
        let error = try #require(await failure(HTTPRequest(.get, "\(url)/hello")))
        #expect(error.code == .tls)
    }
}
