internal import Basics
internal import Experiment
internal import HTTP

/// Credentials that a task of ECS, or a pod of EKS, gets from an address beside it.
struct ContainerCredentials: Sendable {
    private static let patience = Span.seconds(2)
    /// Only these may be asked without TLS: ECS, EKS and this machine.
    private static let trusted = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "localhost", "[::1]"]

    private let settings: AWSSettings
    private let transport: AWSTransport

    init(_ settings: AWSSettings, _ transport: AWSTransport) {
        self.settings = settings
        self.transport = transport
    }

    /// nil when the environment names no such address.
    func find() async throws(AWSError) -> AWSCredentials? {
        guard let url = try address() else { return nil }
        var headers: HTTPHeaders = [:]
        if let token = try authorization() { headers.add("Authorization", token) }
        let response = try await transport.fetch(
            HTTPRequest(.get, url, headers: headers), within: Self.patience, attempts: 3,
            what: "the container's credentials")
        guard response.status == 200, let document = try? JSONValue(parsing: response.text) else {
            throw AWSError(
                .credentials, "the container's credentials: HTTP status \(response.status)", status: response.status,
                advice: "give the task a role")
        }
        return try CredentialDocument.read(document, source: "the container")
    }

    private func address() throws(AWSError) -> String? {
        if let relative = settings.environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] {
            return "http://169.254.170.2\(relative)"
        }
        guard let full = settings.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] else { return nil }
        if full.hasPrefix("https://") { return full }
        let authority = full.hasPrefix("http://") ? full.dropFirst(7).prefix { $0 != "/" } : ""
        let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
        let isLoopback = host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
        guard isLoopback || Self.trusted.contains(String(host)) else {
            throw AWSError(
                .credentials, "AWS_CONTAINER_CREDENTIALS_FULL_URI names '\(host)', which may not be asked without TLS",
                advice: "use https, or a loopback address")
        }
        return full
    }

    private func authorization() throws(AWSError) -> String? {
        guard let file = settings.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] else {
            return settings.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
        }
        do throws(FileProblem) {
            let token = String(decoding: try settings.files.read(file), as: UTF8.self)
            return token.split(whereSeparator: \.isNewline).joined()
        } catch {
            throw AWSError(
                .credentials, "the container's token \(file) cannot be read: \(error)", advice: "ls -l \(file)")
        }
    }
}
