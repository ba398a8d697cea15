import Contracts
import HTTP
import TestSupport
import Testing

@testable import Docker

/// The engine must be the one the docker command would talk to, or a fault hits the wrong machine.
@Suite struct EndpointTests {
    let folder: TemporaryFolder
    let home: [String: String]

    init() throws {
        folder = try TemporaryFolder()
        home = ["HOME": folder.path]
    }

    private func resolve(_ environment: [String: String] = [:]) throws -> DockerEndpoint {
        try DockerEndpoint.resolve(environment: home.merging(environment) { _, new in new })
    }

    private func store(context name: String, digest: String, host: String, skipsVerification: Bool = false) throws {
        try folder.write(
            """
            {"Name": "\(name)", "Metadata": {"Description": "x"},
             "Endpoints": {"docker": {"Host": "\(host)", "SkipTLSVerify": \(skipsVerification)}}}
            """, to: ".docker/contexts/meta/\(digest)/meta.json")
    }

    @Test func withoutAnySettingItIsTheDefaultSocket() throws {
        let endpoint = try resolve()
        #expect(endpoint.unixSocket == "/var/run/docker.sock")
        #expect(endpoint.mayBeLocal)
        #expect(try resolve(["DOCKER_HOST": "", "DOCKER_CONTEXT": ""]) == endpoint)
        try folder.write(#"{"auths": {}}"#, to: ".docker/config.json")
        #expect(try resolve() == endpoint)
    }

    @Test(arguments: [
        ("unix:///run/user/1000/docker.sock", "unix:///run/user/1000/docker.sock"),
        ("unix://", "unix:///var/run/docker.sock"), ("tcp://engine:2375", "http://engine:2375"),
        ("tcp://engine", "http://engine:2375"), ("tcp://engine:2375/", "http://engine:2375"),
        ("tcp://[::1]", "http://[::1]:2375"), ("https://engine", "https://engine:2376"),
        ("tcp://engine:1234/prefix", "http://engine:1234/prefix"),
    ])
    func dockerHostIsRead(host: String, address: String) throws {
        #expect(try resolve(["DOCKER_HOST": host]).address == address)
    }

    @Test(arguments: ["ssh://root@engine", "npipe:////./pipe/docker", "fd://", "engine:2375", "tcp://"])
    func anAddressWeCannotSpeakToIsRefused(host: String) throws {
        let error = #expect(throws: FaultError.self) { try resolve(["DOCKER_HOST": host]) }
        #expect(error?.code == .notApplicable)
        #expect(error?.message.contains("\(host) (from DOCKER_HOST)") == true)
        #expect(error?.advice.isEmpty == false)
    }

    @Test func sshIsRefusedWithTheTunnelToType() throws {
        let error = #expect(throws: FaultError.self) { try resolve(["DOCKER_HOST": "ssh://me@engine"]) }
        #expect(
            error?.advice.contains("ssh -nNT -L /tmp/docker-remote.sock:/var/run/docker.sock me@engine") == true)
    }

    @Test func tlsComesFromTheEnvironment() throws {
        for name in ["ca", "cert", "key"] { try folder.write("x", to: "certs/\(name).pem") }
        let certs = "\(folder.path)/certs"
        let verified = try resolve([
            "DOCKER_HOST": "tcp://engine", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": certs,
        ])
        #expect(verified.address == "https://engine:2376")
        #expect(
            verified.tls
                == TLSOptions(
                    authorityFile: "\(certs)/ca.pem", certificateFile: "\(certs)/cert.pem",
                    keyFile: "\(certs)/key.pem"))
        let unverified = try resolve(["DOCKER_HOST": "tcp://engine", "DOCKER_TLS": "1"])
        #expect(unverified.tls == TLSOptions(verifiesPeer: false, verifiesHost: false))
    }

    @Test func theCurrentContextDecidesUnlessTheEnvironmentDoes() throws {
        try store(context: "prod", digest: "11aa", host: "tcp://prod:2376")
        try store(context: "lab", digest: "22bb", host: "unix:///lab.sock")
        try folder.write("x", to: ".docker/contexts/tls/11aa/docker/ca.pem")
        try folder.write(#"{"currentContext": "prod"}"#, to: ".docker/config.json")
        let current = try resolve()
        #expect(current.address == "https://prod:2376")
        #expect(current.origin == "context prod")
        #expect(current.tls.authorityFile == "\(folder.path)/.docker/contexts/tls/11aa/docker/ca.pem")
        #expect(try resolve(["DOCKER_CONTEXT": "lab"]).address == "unix:///lab.sock")
        #expect(try resolve(["DOCKER_CONTEXT": "default"]).address == "unix:///var/run/docker.sock")
        #expect(try resolve(["DOCKER_CONTEXT": "lab", "DOCKER_HOST": "tcp://one"]).address == "http://one:2375")
    }

    @Test func dockerConfigNamesAnotherFolder() throws {
        try folder.write(#"{"currentContext": "x"}"#, to: "elsewhere/config.json")
        try folder.write(
            #"{"Name": "x", "Endpoints": {"docker": {"Host": "tcp://x", "SkipTLSVerify": true}}}"#,
            to: "elsewhere/contexts/meta/33/meta.json")
        let endpoint = try resolve(["DOCKER_CONFIG": "\(folder.path)/elsewhere"])
        #expect(endpoint.address == "https://x:2376")
        #expect(!endpoint.tls.verifiesPeer)
    }

    @Test func anUnknownContextIsAnErrorNeverTheDefaultEngine() throws {
        let error = #expect(throws: FaultError.self) { try resolve(["DOCKER_CONTEXT": "absent"]) }
        #expect(error?.code == .notFound)
        #expect(error?.advice == "docker context ls")
        try folder.write("{", to: ".docker/config.json")
        #expect(throws: FaultError.self) { try resolve() }
    }

    @Test func aPinnedVersionThatIsNoneIsRefused() {
        #expect(throws: FaultError.self) { try resolve(["DOCKER_API_VERSION": "newest"]) }
    }

    @Test func anEngineBehindTLSIsReachedWithACertificateAndNotWithout() async throws {
        let certs = "\(folder.path)/certs"
        try ChildProcess.run(["mkdir", certs])
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        try ChildProcess.run(
            ["openssl", "req", "-x509"] + key
                + ["-subj", "/CN=ca", "-keyout", "\(certs)/ca-key.pem", "-out", "\(certs)/ca.pem"])
        for (name, keyName) in [("server", "server-key"), ("cert", "key")] {
            try ChildProcess.run(
                ["openssl", "req", "-x509"] + key
                    + [
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-CA", "\(certs)/ca.pem",
                        "-CAkey", "\(certs)/ca-key.pem", "-keyout", "\(certs)/\(keyName).pem", "-out",
                        "\(certs)/\(name).pem",
                    ])
        }
        let engine = try FakeEngine(folder, newest: "1.43", oldest: "1.12", tls: certs)
        let client = try engine.client(["DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": certs])
        #expect(try await client.version().api == APIVersion(1, 43))
        let stranger = try engine.client(["DOCKER_TLS": "1", "DOCKER_CERT_PATH": "/nonexistent"])
        await #expect(throws: FaultError.self) { try await stranger.version() }
        let distrustful = try engine.client(["DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/nonexistent"])
        let error = await #expect(throws: FaultError.self) { try await distrustful.version() }
        #expect(error?.code == .denied)
    }
}
