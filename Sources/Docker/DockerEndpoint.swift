package import Contracts
internal import FoundationEssentials
package import HTTP

/// Where the Docker engine listens, found exactly as the docker command finds it.
package struct DockerEndpoint: Sendable, Hashable {
    /// The base of every URL; only a name when there is a unix socket.
    package let baseURL: String
    package let unixSocket: String?
    package let tls: TLSOptions
    /// DOCKER_API_VERSION; nil: negotiated.
    package let pinnedVersion: APIVersion?
    /// What decided: `DOCKER_HOST`, `context prod`, `the default`; for messages.
    package let origin: String

    package init(
        baseURL: String, unixSocket: String? = nil, tls: TLSOptions = TLSOptions(), pinnedVersion: APIVersion? = nil,
        origin: String
    ) {
        self.baseURL = baseURL
        self.unixSocket = unixSocket
        self.tls = tls
        self.pinnedVersion = pinnedVersion
        self.origin = origin
    }

    package static let defaultSocket = "/var/run/docker.sock"

    /// `unix:///var/run/docker.sock` or `https://engine:2376`.
    package var address: String { unixSocket.map { "unix://\($0)" } ?? baseURL }

    /// Processes of its containers may be on this machine; whether one is, its control group shows.
    package var mayBeLocal: Bool { unixSocket != nil }

    /// DOCKER_HOST, else DOCKER_CONTEXT, else the current context of config.json, else the default socket.
    ///
    /// Reads files only. Throws `notApplicable` for an address we cannot speak to, `notFound` for an unknown context.
    package static func resolve(environment: [String: String]) throws(FaultError) -> DockerEndpoint {
        let pinned = try pinnedVersion(environment)
        let store = DockerContexts(environment: environment)
        if let host = nonEmpty(environment["DOCKER_HOST"]) {
            let tls = environmentTLS(environment, folder: store.folder)
            return try parse(host, tls: tls, pinned: pinned, origin: "DOCKER_HOST")
        }
        let name: String?
        if let chosen = nonEmpty(environment["DOCKER_CONTEXT"]) { name = chosen } else { name = try store.current() }
        if let name, name != "default" {
            let context = try store.context(name)
            return try parse(context.host, tls: context.tls, pinned: pinned, origin: "context \(name)")
        }
        return DockerEndpoint(
            baseURL: "http://docker", unixSocket: defaultSocket, pinnedVersion: pinned, origin: "the default")
    }

    /// - Parameter tls: nil: plain HTTP unless the address says https.
    static func parse(
        _ host: String, tls: TLSOptions?, pinned: APIVersion?, origin: String
    ) throws(FaultError) -> DockerEndpoint {
        guard let separator = host.firstRange(of: "://") else {
            throw refused(host, origin, "it has no scheme", "write unix:///path/to.sock or tcp://host:port")
        }
        let scheme = String(host[..<separator.lowerBound])
        let rest = String(host[separator.upperBound...])
        switch scheme {
        case "unix":
            let path = rest.isEmpty ? defaultSocket : rest
            return DockerEndpoint(baseURL: "http://docker", unixSocket: path, pinnedVersion: pinned, origin: origin)
        case "tcp", "http", "https":
            let isSecure = tls != nil || scheme == "https"
            let address = rest.hasSuffix("/") ? String(rest.dropLast()) : rest
            guard !address.isEmpty else {
                throw refused(host, origin, "it names no host", "write tcp://host:port")
            }
            let base = "\(isSecure ? "https" : "http")://" + withPort(address, isSecure ? 2376 : 2375)
            return DockerEndpoint(baseURL: base, tls: tls ?? TLSOptions(), pinnedVersion: pinned, origin: origin)
        case "ssh":
            let tunnel = "ssh -nNT -L /tmp/docker-remote.sock:\(defaultSocket) \(rest)"
            throw refused(
                host, origin, "Squall does not speak SSH",
                "forward the socket: \(tunnel) & export DOCKER_HOST=unix:///tmp/docker-remote.sock")
        default:
            throw refused(host, origin, "'\(scheme)' is not supported", "use unix:// or tcp://")
        }
    }

    private static func refused(_ host: String, _ origin: String, _ why: String, _ advice: String) -> FaultError {
        FaultError(.notApplicable, "cannot use the Docker engine at \(host) (from \(origin)): \(why)", advice: advice)
    }

    private static func withPort(_ address: String, _ port: Int) -> String {
        let authority = address.prefix { $0 != "/" }
        let afterBracket = authority.lastIndex(of: "]").map { authority[$0...] } ?? authority
        return afterBracket.contains(":") ? address : "\(authority):\(port)" + address.dropFirst(authority.count)
    }

    private static func pinnedVersion(_ environment: [String: String]) throws(FaultError) -> APIVersion? {
        guard let text = nonEmpty(environment["DOCKER_API_VERSION"]) else { return nil }
        guard let version = APIVersion(parsing: text) else {
            throw FaultError(
                .notApplicable, "DOCKER_API_VERSION is '\(text)', which is no version such as 1.41",
                advice: "unset DOCKER_API_VERSION")
        }
        return version
    }

    /// DOCKER_TLS_VERIFY turns TLS on with verification, DOCKER_TLS without; certificates are taken where they exist.
    private static func environmentTLS(_ environment: [String: String], folder: String) -> TLSOptions? {
        let verifies = nonEmpty(environment["DOCKER_TLS_VERIFY"]) != nil
        guard verifies || nonEmpty(environment["DOCKER_TLS"]) != nil else { return nil }
        return certificates(in: nonEmpty(environment["DOCKER_CERT_PATH"]) ?? folder, verifies: verifies)
    }

    static func certificates(in folder: String, verifies: Bool) -> TLSOptions {
        func file(_ name: String) -> String? {
            let path = "\(folder)/\(name)"
            return FileManager.default.fileExists(atPath: path) ? path : nil
        }
        return TLSOptions(
            authorityFile: file("ca.pem"), certificateFile: file("cert.pem"), keyFile: file("key.pem"),
            verifiesPeer: verifies, verifiesHost: verifies)
    }

    private static func nonEmpty(_ text: String?) -> String? {
        text.flatMap { $0.isEmpty ? nil : $0 }
    }
}
